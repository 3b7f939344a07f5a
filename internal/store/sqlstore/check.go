package sqlstore

import "tollgate"

// check finds what no database may be asked to append: CodeInvalid.
func check(rows []tollgate.Request, intents []tollgate.Intent) error {
	for i := range rows {
		if err := checkRequest(&rows[i]); err != nil {
			return err
		}
	}
	for i := range intents {
		if err := checkIntent(&intents[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkRequest(r *tollgate.Request) error {
	if r.ID <= 0 || r.ID.Attempt() != 0 {
		return tollgate.Errorf(tollgate.CodeInvalid, "%d is not the id of a request", r.ID)
	}
	if len(r.Dispatches) > tollgate.MaxDispatches {
		return tollgate.Errorf(tollgate.CodeInvalid, "request %s has more than %d dispatches", r.ID, tollgate.MaxDispatches)
	}
	for i := range r.Dispatches {
		d := &r.Dispatches[i]
		id := d.ID
		if id == 0 {
			id = r.ID.Dispatch(i + 1) // it gets its id from its place
		}
		if err := checkDispatch(r.ID, id, d.Cost); err != nil {
			return err
		}
	}
	return nil
}

func checkDispatch(request, id tollgate.RequestID, cost tollgate.Money) error {
	if id.Request() != request || id.Attempt() == 0 {
		return tollgate.Errorf(tollgate.CodeInvalid, "dispatch %d does not belong to request %s", id, request)
	}
	if cost < 0 || cost > tollgate.MaxCost {
		return tollgate.Errorf(tollgate.CodeInvalid, "a dispatch cannot cost %s dollars", cost)
	}
	return nil
}

func checkIntent(in *tollgate.Intent) error {
	if in.ID <= 0 || in.ID.Attempt() == 0 {
		return tollgate.Errorf(tollgate.CodeInvalid, "%d is not the id of a dispatch", in.ID)
	}
	if in.Held < 0 || in.Held > tollgate.MaxMoney {
		return tollgate.Errorf(tollgate.CodeInvalid, "a dispatch cannot hold %s dollars", in.Held)
	}
	for i := range in.Settled {
		if err := checkDispatch(in.ID.Request(), in.Settled[i].ID, in.Settled[i].Cost); err != nil {
			return err
		}
	}
	return nil
}
