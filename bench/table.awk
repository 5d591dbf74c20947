# table.awk -- one workload's table; after median.awk

END {
	printf "  %-8s %2s %8s %8s %8s  | processor us: %5s %9s %11s %6s\n",
		"", "c", "per s", "p50 us", "p99 us", "nginx", "endpoint", "PostgreSQL", "sum"
	for (i = 1; i <= keys; i++) {
		key = order[i]
		split(key, part, SUBSEP)
		printf "  %-8s %2d %8.0f %8.0f %8.0f  | %19.0f %9.0f %11.0f %6.0f\n", part[2], part[3],
			median(key, 4), median(key, 5), median(key, 6), median(key, 8), median(key, 9), median(key, 10), median(key, "sum")
	}
	for (c = 1; c <= 8; c += 7) {
		a = workload SUBSEP "Postern" SUBSEP c
		b = workload SUBSEP "ceiling" SUBSEP c
		if ((a in count) && (b in count))
			printf "  c=%d: %.0f %% of the ceiling's rate, %.2f x its processor time\n", c,
				100 * median(a, 4, b), median(a, "sum", b)
	}
	print_doubts()
}
