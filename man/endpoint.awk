# endpoint.awk -- the manual page of an endpoint, from the comment at the head of its source
#
# usage: awk -f endpoint.awk postern.8 NAME.c >postern-NAME.8
#
# The comment has the sections NAME, DESCRIPTION, SECURITY and STANDARDS.  An empty line
# ends a paragraph; a line "NAME<tab>text" is an item of a list.  The date is that of
# postern.8.

NR == FNR && /^\.Dd / { date = $0 }
NR == FNR             { next }
/\*\//                { exit }

{ sub(/^ \* ?/, "") }
/^[A-Z][A-Z]+$/       { section = $0; next }
section == "NAME" && / -- / {
	sub(/^[ \t]+/, "")
	name = substr($0, 1, index($0, " -- ") - 1)
	purpose = substr($0, index($0, " -- ") + 4)
	sub(/[?.!]$/, "", purpose)
	next
}
section != "" && section != "NAME" { text[section] = text[section] $0 "\n" }

# Words, in output lines that are not longer than mandoc likes.
function put(words, n, i, line, word) {
	n = split(words, word, / +/)
	line = ""
	for (i = 1; i <= n; i++) {
		if (word[i] == "")
			continue
		if (line != "" && length(line) + length(word[i]) > 76) {
			print line
			line = ""
		}
		# A dot or an apostrophe at the start of a line would be a command.
		if (line == "" && word[i] ~ /^[.']/)
			word[i] = "\\&" word[i]
		line = line (line == "" ? "" : " ") word[i]
	}
	if (line != "")
		print line
}

# Each sentence begins a line.  In the source two blanks, or the end of a line, follow it.
function paragraph(words) {
	gsub(/\\/, "\\e", words)
	while (match(words, /[.?!]\)?  /)) {
		put(substr(words, 1, RSTART + RLENGTH - 3))
		words = substr(words, RSTART + RLENGTH)
	}
	put(words)
}

function flush() {
	if (pending == "")
		return
	if (follows && !in_list)
		print ".Pp"
	paragraph(pending)
	follows = 1
	pending = ""
}

function end_list() {
	if (!in_list)
		return
	flush()
	print ".El"
	in_list = 0
}

function body(lines, n, i, line, parts) {
	n = split(lines, line, /\n/)
	follows = in_list = 0
	pending = ""
	for (i = 1; i <= n; i++) {
		sub(/^[ \t]+/, "", line[i])
		if (line[i] == "") {
			end_list()
			flush()
			continue
		}
		if (split(line[i], parts, /\t+/) == 2) {
			flush()
			if (!in_list)
				print ".Bl -tag -width Ds"
			in_list = 1
			print ".It Ev " parts[1]
			line[i] = parts[2]
		}
		pending = pending (pending == "" ? "" : pending ~ /[.?!]\)?$/ ? "  " : " ") line[i]
	}
	end_list()
	flush()
}

END {
	if (name == "" || text["DESCRIPTION"] == "" || text["SECURITY"] == "" || text["STANDARDS"] == "") {
		print "endpoint.awk: the comment lacks a section: " FILENAME >"/dev/stderr"
		exit 1
	}
	print date
	print ".Dt POSTERN-" toupper(name) " 8"
	print ".Os"
	print ".Sh NAME"
	print ".Nm postern-" name
	print ".Nd " purpose
	print ".Sh SYNOPSIS"
	print ".Nm " name
	print ".Op Fl \\-workers Ar n"
	print ".Nm " name
	print ".Fl \\-help | \\-version"
	print ".Sh DESCRIPTION"
	body(text["DESCRIPTION"])
	print ".Pp"
	print "A web server runs"
	print ".Nm " name
	print "as FastCGI, where the listening socket is descriptor 0,"
	print (name == "guard" ? "and not as CGI." : "or as CGI, where it ignores its arguments.")
	print "The option is:"
	print ".Bl -tag -width Ds"
	print ".It Fl \\-workers Ar n"
	print "How many processes serve, instead of what"
	print ".Xr postern.conf 5"
	print "says."
	print "With 0, only this one."
	print ".El"
	print ".Pp"
	print "SIGTERM finishes the request in hand and ends it."
	print "A line a request is logged, with the outcome and without any secret."
	print ".Sh ENVIRONMENT"
	print ".Bl -tag -width POSTERN_CONFIG"
	print ".It Ev POSTERN_CONFIG"
	print "The configuration file; see"
	print ".Xr postern.conf 5 ."
	print ".El"
	print ".Sh EXIT STATUS"
	print "Those of"
	print ".In sysexits.h :"
	print "0 after a signal to stop, 64 when it was not started as it should be, 71 when"
	print "the system refuses something, 78 when the configuration or a template is wrong."
	print ".Sh SEE ALSO"
	print ".Xr postern.conf 5 ,"
	print ".Xr postern 8"
	print ".Sh STANDARDS"
	body(text["STANDARDS"])
	print ".Sh SECURITY CONSIDERATIONS"
	body(text["SECURITY"])
}
