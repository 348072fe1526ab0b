package pdftext

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Glyph names are those of the Adobe Glyph List as far as Latin and Greek text, punctuation and common signs go; letters with
// accents are put together from the names of both. Others are known by their code: uni4E00, u1F600. The names are facts of the
// format; Adobe's file itself is not here.

// asciiNames are the names of 0x20 to 0x7E.
const asciiNames = "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus " +
	"comma hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at " +
	"A B C D E F G H I J K L M N O P Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore grave " +
	"a b c d e f g h i j k l m n o p q r s t u v w x y z braceleft bar braceright asciitilde"

// otherNames are pairs of a name and what it stands for.
const otherNames = "exclamdown ¡ cent ¢ sterling £ currency ¤ yen ¥ brokenbar ¦ section § dieresis ¨ copyright © ordfeminine ª " +
	"guillemotleft « logicalnot ¬ registered ® macron ¯ degree ° plusminus ± twosuperior ² threesuperior ³ acute ´ mu µ " +
	"paragraph ¶ periodcentered · middot · cedilla ¸ onesuperior ¹ ordmasculine º guillemotright » onequarter ¼ onehalf ½ " +
	"threequarters ¾ questiondown ¿ AE Æ Eth Ð multiply × Oslash Ø Thorn Þ germandbls ß ae æ eth ð divide ÷ oslash ø thorn þ " +
	"Dcroat Đ dcroat đ Hbar Ħ hbar ħ dotlessi ı IJ Ĳ ij ĳ kgreenlandic ĸ Ldot Ŀ ldot ŀ Lslash Ł lslash ł napostrophe ŉ Eng Ŋ " +
	"eng ŋ OE Œ oe œ Tbar Ŧ tbar ŧ longs ſ florin ƒ circumflex ˆ caron ˇ breve ˘ dotaccent ˙ ring ˚ ogonek ˛ tilde ˜ " +
	"hungarumlaut ˝ Alpha Α Beta Β Gamma Γ Delta Δ Epsilon Ε Zeta Ζ Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ " +
	"Omicron Ο Pi Π Rho Ρ Sigma Σ Tau Τ Upsilon Υ Phi Φ Chi Χ Psi Ψ Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ " +
	"eta η theta θ iota ι kappa κ lambda λ nu ν xi ξ omicron ο pi π rho ρ sigma1 ς sigma σ tau τ upsilon υ phi φ chi χ psi ψ " +
	"omega ω endash – emdash — quoteleft ‘ quoteright ’ quotesinglbase ‚ quotedblleft “ quotedblright ” quotedblbase „ " +
	"dagger † daggerdbl ‡ bullet • ellipsis … perthousand ‰ minute ′ second ″ guilsinglleft ‹ guilsinglright › fraction ⁄ " +
	"Euro € trademark ™ arrowleft ← arrowup ↑ arrowright → arrowdown ↓ partialdiff ∂ product ∏ summation ∑ minus − radical √ " +
	"infinity ∞ integral ∫ approxequal ≈ notequal ≠ lessequal ≤ greaterequal ≥ lozenge ◊ fi ﬁ fl ﬂ ff ﬀ ffi ﬃ ffl ﬄ " +
	"circle ○ H18533 ■ checkmark ✓ nbspace \u00a0 nonbreakingspace \u00a0 sfthyphen \u00ad softhyphen \u00ad hyphenminus -"

// accents are the ends of names of letters with accents.
var accents = []struct {
	name string
	mark rune
}{
	{"hungarumlaut", 0x30b}, {"circumflex", 0x302}, {"commaaccent", 0x327}, {"dotaccent", 0x307}, {"dieresis", 0x308},
	{"cedilla", 0x327}, {"macron", 0x304}, {"ogonek", 0x328}, {"acute", 0x301}, {"breve", 0x306}, {"caron", 0x30c},
	{"grave", 0x300}, {"tilde", 0x303}, {"ring", 0x30a}, {"tonos", 0x301},
}

var glyphNames = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for i, n := range strings.Fields(asciiNames) {
		m[n] = string(rune(' ' + i))
	}
	f := strings.Split(otherNames, " ")
	for ; len(f) >= 2; f = f[2:] {
		m[f[0]] = f[1]
	}
	return m
})

// nameText gives what a glyph name stands for; empty: unknown.
func nameText(name string) string {
	name, _, _ = strings.Cut(name, ".") // a variant
	if name == "" || len(name) > 128 {
		return ""
	}
	if s, ok := glyphNames()[name]; ok {
		return s
	}
	if strings.Contains(name, "_") { // a ligature
		all := ""
		for _, part := range strings.Split(name, "_") {
			s := nameText(part)
			if s == "" {
				return ""
			}
			all += s
		}
		return all
	}
	for _, a := range accents {
		if base, ok := strings.CutSuffix(name, a.name); ok {
			if s, ok := glyphNames()[base]; ok {
				return norm.NFC.String(s + string(a.mark))
			}
		}
	}
	return codeName(name)
}

// codeName reads uniXXXX… and uXXXX to uXXXXXX.
func codeName(name string) string {
	hex, ok := strings.CutPrefix(name, "uni")
	if ok && len(hex) >= 4 && len(hex)%4 == 0 {
		all := ""
		for ; hex != ""; hex = hex[4:] {
			all += runeOf(hex[:4])
		}
		return all
	}
	if hex, ok = strings.CutPrefix(name, "u"); ok && len(hex) >= 4 && len(hex) <= 6 {
		return runeOf(hex)
	}
	return ""
}

func runeOf(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return ""
	}
	return string(rune(n))
}

// standardHigh is StandardEncoding from 0xA1 on; below, it is ASCII but for two quotes.
const standardHigh = "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ\x00–†‡·\x00¶•‚„”»…‰\x00¿\x00`´ˆ˜¯˘˙¨\x00˚¸\x00˝˛ˇ—" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00Æ\x00ª\x00\x00\x00\x00ŁØŒº\x00\x00\x00\x00\x00æ\x00\x00\x00ı\x00\x00łøœß"

// baseEncoding gives what the codes of a named encoding stand for; nil: no such name.
func baseEncoding(name string) *[256]string {
	var t [256]string
	switch name {
	case "WinAnsiEncoding", "MacRomanEncoding":
		cm := charmap.Windows1252
		if name[0] == 'M' {
			cm = charmap.Macintosh
		}
		for c := ' '; c < 256; c++ {
			if r := cm.DecodeByte(byte(c)); r != utf8.RuneError && r >= ' ' && (r < 0x7f || r > 0x9f) {
				t[c] = string(r)
			} else if name[0] == 'W' && c > 0x7f {
				t[c] = "•"
			}
		}
	case "StandardEncoding":
		for c := ' '; c <= '~'; c++ {
			t[c] = string(c)
		}
		t['\''], t['`'] = "’", "‘"
		c := 0xa1
		for _, r := range standardHigh {
			if r != 0 {
				t[c] = string(r)
			}
			c++
		}
	default:
		return nil
	}
	return &t
}

// symbolEncoding gives the characters of the two standard fonts that are not of letters; nil: another font.
func symbolEncoding(font string) *[256]string {
	var t [256]string
	switch {
	case strings.HasSuffix(font, "ZapfDingbats"):
		for c := 0x21; c <= 0x7e; c++ {
			t[c] = string(rune(0x2700 + c - 0x20))
		}
		for c, s := range map[byte]string{'%': "☎", '*': "☛", '+': "☞", 'H': "★", 'l': "●", 'n': "■", 's': "▲", 't': "▼", 'u': "◆", 'w': "◗"} {
			t[c] = s
		}
	case strings.HasSuffix(font, "Symbol"):
		t = *baseEncoding("StandardEncoding")
		for c, r := range map[int]string{'A': "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", 'a': "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"} {
			for i, r := range []rune(r) {
				t[c+i] = string(r)
			}
		}
		clear(t[0xa1:])
		for i, r := range []rune("ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…") {
			t[0xa1+i] = string(r)
		}
	default:
		return nil
	}
	return &t
}
