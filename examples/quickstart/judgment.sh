#!/bin/sh
# Makes judgment.pdf and judgment.docx out of judgment.fodt. The font (Noto Serif CJK SC, OFL-1.1) is embedded in the PDF, as a
# subset; the Word document names it. The same programs make the same document, byte for byte: its entries have one time.
#
#   apt-get install libreoffice-writer-nogui fonts-noto-cjk fonts-noto-cjk-extra unzip zip
#   sh examples/quickstart/judgment.sh
#
# The place of the seal (dateX and dateY in quickstart_test.go) is measured: pdftotext -bbox judgment.pdf - | grep 二
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC
soffice -env:UserInstallation="file://$work/profile" --headless --convert-to pdf:writer_pdf_Export judgment.fodt
soffice -env:UserInstallation="file://$work/profile" --headless --convert-to "docx:MS Word 2007 XML" --outdir "$work" judgment.fodt
unzip -q "$work/judgment.docx" -d "$work/parts"
rm -f judgment.docx
out=$PWD/judgment.docx
(
	cd "$work/parts"
	find . -type f -exec touch -d '2026-01-01 00:00:00' {} +
	find . -type f ! -name '[[]Content_Types].xml' | sed 's,^\./,,' | sort >../names # as Word has it, the types come first
	{ echo '[Content_Types].xml'; cat ../names; } | zip -q -X -9 -D "$out" -@
)
pdffonts judgment.pdf
ls -l judgment.pdf judgment.docx
