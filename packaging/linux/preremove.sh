#!/bin/sh
set -e
# On removal, and not on an upgrade, of a deb ("remove") or an rpm ("0").
case "$1" in
    remove | 0)
        if [ -d /run/systemd/system ]; then
            systemctl disable --now dregs.service
        fi
        ;;
esac
