#!/bin/sh
# Makes noto-serif-cjk-sc-bold.otf, the font that seals are lettered with, out of Noto Serif CJK SC Bold.
#
#   apt-get install fonts-noto-cjk python3-fonttools
#   sh internal/glyph/subset.sh
#
# What is in it, and why:
#   - GB 2312 level 1, the 3,755 common characters: every word a court, a chamber or an office is called by;
#   - places.txt: the 781 further characters in the names of China's provinces, cities, counties, towns and
#     peoples, since a court is named after its place and a people's tribunal after its town (level 2 of GB 2312
#     and some forty beyond it);
#   - ASCII, full-width ASCII and Chinese punctuation: seal codes, numbers, brackets, 〇.
# All of GB 2312 would be 2.2 MB instead of 1.4; a character that is missing is a typed error, not a box.
# No hinting, no layout tables, no subroutines: outlines are all that is read.
set -eu
cd "$(dirname "$0")"
font=${1:-/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc} # of the collection, number 2 is SC
python=/usr/bin/python3                                        # the one that Debian's fonttools belongs to
chars=$(mktemp)
trap 'rm -f "$chars"' EXIT
$python - >"$chars" <<'PY'
rows = lambda first, last: [bytes([row, cell]) for row in range(first, last + 1) for cell in range(0xA1, 0xFF)]
text = "".join(map(chr, range(0x20, 0x7F)))
text += "〇○·、。《》〈〉〔〕「」【】—…￥★☆"
text += b"".join(rows(0xA3, 0xA3)).decode("gb2312", "ignore")
text += b"".join(rows(0xB0, 0xD7)).decode("gb2312", "ignore")
text += open("places.txt", encoding="utf-8").read().replace("\n", "")
print("".join(sorted(set(text))), end="")
PY
SOURCE_DATE_EPOCH=0 PYTHONIOENCODING=utf-8 $python -m fontTools.subset "$font" --font-number=2 --text-file="$chars" \
	--layout-features= --no-hinting --desubroutinize --name-IDs=0,1,2,13,14 --no-recalc-timestamp \
	--drop-tables+=GSUB,GPOS,GDEF,BASE,VORG,vhea,vmtx,DSIG --output-file=noto-serif-cjk-sc-bold.otf
ls -l noto-serif-cjk-sc-bold.otf
