package main

import "testing"

// TestCandidatesAgree runs every job once: nothing is timed that does not give the same result.
func TestCandidatesAgree(t *testing.T) {
	all, err := jobs()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 7*3*5 {
		t.Fatalf("%d jobs", len(all))
	}
	for _, job := range all {
		if err := job.cardseal(); err != nil {
			t.Errorf("%s: %v", job.name(), err)
		}
		if err := job.document(); err != nil {
			t.Errorf("%s, the document's way: %v", job.name(), err)
		}
		job.cipher()
	}
}

// BenchmarkJobs is for benchstat, which compares two revisions: go test -bench . -count 10 > FILE. To compare with the
// document's way, go run . takes turns between the two.
func BenchmarkJobs(b *testing.B) {
	all, err := jobs()
	if err != nil {
		b.Fatal(err)
	}
	for _, job := range all {
		for name, run := range map[string]func() error{"cardseal": job.cardseal, "document": job.document} {
			b.Run(job.name()+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
