# goals.awk -- Postern against its goals with 8 users; after median.awk

BEGIN {
	RATE = 0.75		# of the ceiling's, at least
	PROCESSOR = 1.3		# times the ceiling's, at most
	CGI_ANSWER = 1.5	# times the bare program's time to its first answer, at most
}

END {
	print "Goals, 8 users"
	printf "  %-8s %28s %34s\n", "", "rate of the ceiling's", "processor time of the ceiling's"
	for (i = 1; i <= workload_count; i++) {
		name = workloads[i]
		a = name SUBSEP "Postern" SUBSEP 8
		b = name SUBSEP "ceiling" SUBSEP 8
		if (name == "CGI")
			continue
		rate = median(a, 4, b)
		processor = median(a, "sum", b)
		printf "  %-8s %8.0f %%  >= %.0f %%  %-7s %13.2f x  <= %.2f x  %s\n", name,
			100 * rate, 100 * RATE, verdict(rate >= RATE), processor, PROCESSOR, verdict(processor <= PROCESSOR)
	}
	a = "CGI" SUBSEP "Postern" SUBSEP 1
	b = "CGI" SUBSEP "ceiling" SUBSEP 1
	if (a in count) {
		answer = median(a, 5, b)
		printf "  CGI, one user: first answer in %.2f x the bare program's time  <= %.2f x  %s\n", answer, CGI_ANSWER, verdict(answer <= CGI_ANSWER)
	}
	print missed ? "  " missed " missed" : "  all reached"
	print_doubts()
}
