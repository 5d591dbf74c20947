# table.awk -- one workload's table out of run's results
#
# Fields: workload, target, concurrency, then what driver.c prints: rate, p50, p99,
# errors, processor time of web server, endpoints, database and driver, others.
# A cell is the median of the rounds.

BEGIN { FS = "\t" }

$1 == workload {
	key = $2 SUBSEP $3
	if (!(key in count))
		order[++keys] = key
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

END {
	printf "  %-8s %2s %8s %8s %8s  | processor us: %5s %9s %11s %6s\n",
		"", "c", "per s", "p50 us", "p99 us", "nginx", "endpoint", "PostgreSQL", "sum"
	for (i = 1; i <= keys; i++) {
		key = order[i]
		split(key, part, SUBSEP)
		printf "  %-8s %2d %8.0f %8.0f %8.0f  | %19.0f %9.0f %11.0f %6.0f\n", part[1], part[2],
			median(key, 4), median(key, 5), median(key, 6), median(key, 8), median(key, 9), median(key, 10), median(key, "sum")
	}
	for (c = 1; c <= 8; c += 7) {
		a = "Postern" SUBSEP c
		b = "ceiling" SUBSEP c
		if ((a in count) && (b in count))
			printf "  c=%d: %.0f %% of the ceiling's rate, %.2f x its processor time\n", c,
				100 * median(a, 4, b), median(a, "sum", b)
	}
	if (errors > 0)
		printf "  %d answers were not what they should be; see driver.log\n", errors
	if (disturbed > 0.15)
		printf "  up to %.0f %% of the machine went to other processes: rates are too low\n", 100 * disturbed
	print ""
}
