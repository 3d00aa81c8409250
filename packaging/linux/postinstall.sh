#!/bin/sh
set -e
if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers dregs.conf
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # After an upgrade; a first start is the administrator's.
    systemctl try-restart dregs.service
fi
