#!/bin/sh
# Makes judgment.pdf out of judgment.fodt: the font (Noto Serif CJK SC, OFL-1.1) is embedded, as a subset.
#
#   apt-get install libreoffice-writer-nogui fonts-noto-cjk fonts-noto-cjk-extra
#   sh examples/quickstart/judgment.sh
#
# The place of the seal (dateLine in main.go) is measured: pdftotext -bbox judgment.pdf - | grep 二
set -eu
cd "$(dirname "$0")"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
soffice -env:UserInstallation="file://$profile" --headless --convert-to pdf:writer_pdf_Export judgment.fodt
pdffonts judgment.pdf
ls -l judgment.pdf
