#!/bin/sh
set -e
# On removal, and not on an upgrade, of a deb ("remove") or an rpm ("0").
case "$1" in
    remove | 0)
        if [ -d /run/systemd/system ]; then
            systemctl stop dregs.service
        fi
        # The links go where systemd does not run as well.
        if command -v systemctl >/dev/null; then
            systemctl disable dregs.service
        fi
        ;;
esac
