package analyzer

import (
	"context"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// reconsiderUntil is the age of an alert, in passes, up to which evidence that
// came late may change its cause: activity is sampled, and the catalog is read
// less often than the counters.
const reconsiderUntil = 12

// reconsider weighs the causes of young alerts again, and saves those that
// are named otherwise now.
func (b *book) reconsider(ctx context.Context) error {
	for _, v := range b.s.detector.Live() {
		r := regression(v)
		al := b.s.alerts[keyOf(r)]
		if al == nil || al.Opened.Equal(b.rec.At) || b.age(al.Opened) > reconsiderUntil {
			continue
		}
		if err := b.nameAgain(ctx, v, al); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) nameAgain(ctx context.Context, v change.Verdict, al *pgvigil.Alert) error {
	r := regression(v)
	if err := b.name(ctx, v, &r); err != nil {
		return err
	}
	better := len(r.Causes) > 0 && (len(al.Verdict.Causes) == 0 || r.Causes[0].Score > al.Verdict.Causes[0].Score)
	same := r.Cause == al.Verdict.Cause && r.CauseDetail == al.Verdict.CauseDetail
	if !better || same && slices.EqualFunc(r.Events, al.Verdict.Events, func(a, b pgvigil.Event) bool { return a.At.Equal(b.At) && a.Kind == b.Kind }) {
		return nil
	}
	live, err := b.refresh(ctx, keyOf(r), al)
	if err != nil || !live {
		return err
	}
	al.Verdict.Cause, al.Verdict.CauseDetail, al.Verdict.Causes, al.Verdict.Events = r.Cause, r.CauseDetail, r.Causes, r.Events
	reason := "cause: " + string(r.Cause)
	if r.CauseDetail != "" {
		reason += ", " + r.CauseDetail
	}
	return b.step(ctx, al, al.State, reason)
}
