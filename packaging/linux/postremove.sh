#!/bin/sh
set -e
# The data and the master key in /var/lib/dregs stay: whoever wants them gone removes them.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
