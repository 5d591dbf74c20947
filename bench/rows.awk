# rows.awk -- what many rows change; after median.awk

BEGIN { CHANGE = 0.10 }		# of the processor time, at most

END {
	printf "  %-8s %10s %10s   %22s  %s\n", "", "few: us", "many: us", "processor time", "of which PostgreSQL"
	for (i = 1; i <= workload_count; i++) {
		a = workloads[i] SUBSEP "few" SUBSEP 8
		b = workloads[i] SUBSEP "many" SUBSEP 8
		change = median(b, "sum", a) - 1
		printf "  %-8s %10.0f %10.0f   %+6.1f %% <= %.0f %%  %-6s  %.0f -> %.0f\n", workloads[i], median(a, "sum"), median(b, "sum"),
			100 * change, 100 * CHANGE, verdict(change <= CHANGE), median(a, 10), median(b, 10)
	}
	print missed ? "  " missed " missed" : "  all reached"
	print_doubts()
}
