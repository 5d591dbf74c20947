# median.awk -- reads run's results; for table.awk, goals.awk and rows.awk
#
# Fields: workload, target, concurrency, then what driver.c prints: rate, p50, p99,
# errors, processor time of web server, endpoints, database and driver, others.
# A cell is the median of the rounds.  With -v workload=NAME only that one is read.

BEGIN { FS = "\t" }

workload == "" || $1 == workload {
	key = $1 SUBSEP $2 SUBSEP $3
	if (!(key in count)) {
		order[++keys] = key
		if (!($1 in met)) {
			met[$1] = 1
			workloads[++workload_count] = $1
		}
	}
	n = ++count[key]
	for (i = 4; i <= NF; i++)
		cell[key, i, n] = $i
	sum[key, n] = $8 + $9 + $10
	errors += $7
	if ($12 > disturbed)
		disturbed = $12
}

# One figure of one round.
function figure(key, field, i) {
	return field == "sum" ? sum[key, i] : cell[key, field, i]
}

# The median of the rounds of a cell, or of its quotients with another cell: rounds of
# both were measured one right after the other, so a slow moment hits both.
function median(key, field, other,    i, j, n, v, t) {
	n = count[key]
	for (i = 1; i <= n; i++) {
		t = figure(key, field, i)
		if (other != "")
			t /= figure(other, field, i)
		for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function verdict(good) {
	if (!good)
		missed++
	return good ? "ok" : "MISSED"
}

# What spoils the figures above, if anything does.
function print_doubts() {
	if (errors > 0)
		printf "  %d answers were not what they should be; see driver.log\n", errors
	if (disturbed > 0.15)
		printf "  up to %.0f %% of the machine went to other processes: rates are too low\n", 100 * disturbed
	print ""
}
