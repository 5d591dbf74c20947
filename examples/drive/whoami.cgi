#!/bin/sh
# whoami.cgi -- a protected program: says who is calling, as guard found out
#
# The POSTERN_ variables come from guard by way of the web server.  A request
# header of the same name arrives as HTTP_POSTERN_... and decides nothing.
printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n'
env | grep -E '^(HTTP_)?POSTERN_' | sort
