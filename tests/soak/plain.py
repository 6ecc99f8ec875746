"""Plain and slow: D01 D02 D05 D09 D17 (and C01 C05 C07 C14) from the rows of silver, written from the text of the specification and apart
from the SQL. Exact: fractions, rounded half away from zero where the text rounds. `rows()` gives every row that must be published:
key → (numerator, denominator, value, state); numbers are None where there is none, and numerator and denominator are only told where there is a value.
"""
import datetime as dt
from collections import defaultdict
from fractions import Fraction as F

DAY = dt.timedelta(days=1)


def half_away(x, places):
    """Rounded half away from zero."""
    if x is None:
        return None
    scaled = abs(F(x)) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return F(whole if x >= 0 else -whole, 10**places)


def trunc1(x):
    return F(int(x * 10), 10)


def month_of(t):
    return f"{t.year:04}-{t.month:02}"


def plus(month, n):
    at = int(month[:4]) * 12 + int(month[5:]) - 1 + n
    return f"{at // 12:04}-{at % 12 + 1:02}"


def first_instant(month):
    return dt.datetime(int(month[:4]), int(month[5:]), 1)


def instant(text):
    return None if text is None else dt.datetime.fromisoformat(text.replace(" ", "T")[:26].rstrip("Z"))


def day(text):
    return None if text is None else dt.date.fromisoformat(text[:10])


def number(text):
    return None if text is None else F(text)


class World:
    """The rows of silver, typed, and what all indicators share."""

    def __init__(self, silver, region, first_month, at):
        self.region, self.first, self.at = region, first_month, at
        self.org = {r["org_code"]: r for r in silver["institution"]}
        self.versions = defaultdict(list)
        for kind, table in (("1", "drug_listing"), ("2", "mcs_listing")):
            for r in silver[table]:
                scope = r["drug_type"] in ("1", "2") if kind == "1" else r["sep_chrg_flag"] == "1"
                eff, convrat = instant(r["pric_eff_time"]), number(r["convrat"])
                self.versions[r["pubonln_rslt_id"]].append({**r, "kind": kind, "eff": eff, "convrat": convrat, "scope": scope, "unit": half_away(number(r["pubonln_pric"]) / convrat, 6)})
        for versions in self.versions.values():
            versions.sort(key=lambda v: v["eff"])
        self.lines = {r["ord_detl_id"]: self.line(r) for r in silver["ord_detl"]}
        self.shipments = {r["shp_id"]: r for r in silver["shp"]}
        self.moves, self.receipts = [], {}
        for r in silver["shp"]:
            line, t, cnt = self.lines[r["ord_detl_id"]], instant(r["shpp_time"]), number(r["shpp_cnt"])
            if r["shp_stas"] == "3" and t is not None and cnt is not None and cnt > 0:
                amt = half_away(cnt * number(r["shp_pric"]), 2)
                self.receipts[r["shp_id"]] = {**line, "t": t, "amt": amt}
                self.moves.append({**line, "t": t, "q": cnt * line["convrat"], "amt": amt})
        self.back = defaultdict(list)
        for r in silver["retn"]:
            if r["retn_chk_stas"] == "2":
                # Whatever its own ord_detl_id says: the line is the shipment's.
                line, t, amt = self.lines[self.shipments[r["shp_id"]]["ord_detl_id"]], instant(r["medins_retn_time"]), number(r["retn_amt"])
                self.back[r["shp_id"]].append((t, amt))
                self.moves.append({**line, "t": t, "q": -number(r["retn_cnt"]) * line["convrat"], "amt": -amt})
        self.pays = [{**self.lines[self.shipments[r["shp_id"]]["ord_detl_id"]], "shp": r["shp_id"], "t": instant(r["pay_time"]), "amt": number(r["pay_amt"]), "mode": r["pay_mode"]} for r in silver["pay_detl"]]
        self.batches = {r["btch_code"]: {"kind": r["prod_type"], "begn": day(r["agrt_begn_date"]), "end": day(r["agrt_end_date"])} for r in silver["vbp_batch"]}
        self.roles, self.awards = defaultdict(list), {}
        for r in silver["vbp_prod"]:
            if r["btch_code"] in self.batches:
                award = half_away(number(r["award_pric"]) / number(r["award_convrat"]), 6) if r["prod_role"] in ("1", "2") else None
                self.roles[r["prod_code"]].append((r["btch_code"], r["grp_code"], r["prod_role"]))
                self.awards[r["btch_code"], r["grp_code"], r["prod_code"]] = award
        self.agreements = [r for r in silver["vbp_agrm"] if r["btch_code"] in self.batches and r["medins_code"] in self.org]
        self.refs = [{**r, "eff": day(r["eff_date"]), "unit": half_away(number(r["ref_pric"]) / number(r["ref_convrat"]), 6)} for r in silver["ref_pric"]]
        self.workdays = {day(r["cal_date"]): r["is_workday"] == "1" for r in silver["workday"]}
        self.fees = [{"org": r["fixmedins_code"], "list": r["list_type"], "code": r["med_list_codg"], "t": instant(r["fee_ocur_time"]), "amt": number(r["det_item_fee_sumamt"])} for r in silver["fee_list"]]
        self.months = [m for n in range(240) if (m := plus(first_month, n)) <= month_of(at - dt.timedelta(microseconds=1))]
        self.states = {}

    def line(self, r):
        sent, versions = instant(r["send_time"]), self.versions[r["pubonln_rslt_id"]]
        own = [v for v in versions if v["eff"] <= sent] or versions[:1]
        kind = r["prod_type"]
        return {"org": r["medins_code"], "kind": kind, "prod": r["prod_code"], "purc": r["purc_type"], "convrat": own[-1]["convrat"], "scope": own[-1]["kind"] == kind and own[-1]["scope"]}

    def t_of(self, month):
        return min(first_instant(plus(month, 1)), self.at)

    def date_of(self, month):
        return (self.t_of(month) - dt.timedelta(microseconds=1)).date()

    def county(self, org):
        return self.org[org]["admdvs"]

    def is_institution(self, org):
        return self.org[org]["org_type"] == "1"

    def state(self, kind, t):
        """Known products at an instant: code → (listed unit price or None, the version that gives its attributes)."""
        if (kind, t) not in self.states:
            known = defaultdict(list)
            for rslt, versions in self.versions.items():
                past = [v for v in versions if v["eff"] < t and v["kind"] == kind]
                for v in past:
                    known[v["prod_code"]].append((v is past[-1] and v["pubonln_stas"] == "1", rslt, v))
            found = {}
            for prod, of in known.items():
                active = [(v["unit"], rslt, v) for live, rslt, v in of if live]
                if active:
                    price, _, v = min(active, key=lambda x: x[:2])
                    found[prod] = (price, v)
                else:
                    found[prod] = (None, max(of, key=lambda x: (x[2]["eff"], x[1]))[2])
            self.states[kind, t] = found
        return self.states[kind, t]

    def active(self, batch, on):
        return self.batches[batch]["begn"] <= on <= self.batches[batch]["end"]

    def is_workday(self, d):
        return self.workdays.get(d, d.weekday() < 5)


class Out:
    """Rows by key: (indicator, measure, month, county, level, subject, product, batch, group)."""

    def __init__(self, indicator):
        self.indicator, self.rows = indicator, {}

    def put(self, measure, month, county, subject, num, den, value, state, product="", batch="", group="", level="subject"):
        key = (self.indicator, measure, month, county, level, subject, product, batch, group)
        assert key not in self.rows, key
        value = half_away(value, 6)
        state = "na" if value is None else state(value) if callable(state) else state
        self.rows[key] = (None, None, None, "na") if value is None else (half_away(num, 6), half_away(den, 6), value, state)


def ratio(num, den):
    return None if num is None or den is None or den <= 0 else F(num) / den


def linkage(w, indicator, kind, limit):
    """D01, C01."""
    out = Out(indicator)
    for month in w.months:
        t, on = w.t_of(month), w.date_of(month)
        for prod, (own, v) in w.state(kind, t).items():
            if own is None:
                continue
            newest = {}
            for r in w.refs:
                province = r["prov_admdvs"][:2]
                if r["prod_code"] == prod and province != w.region[:2] and r["eff"] <= on:
                    held = newest.get(province)
                    if held is None or (r["eff"], held["prov_admdvs"]) > (held["eff"], r["prov_admdvs"]):
                        newest[province] = r
            others = [(r["unit"], r["eff"]) for r in newest.values() if r["actv_zone_flag"] == "1"]
            other, eff = min(others) if others else (None, None)
            value = None if other is None or other <= 0 else own / other - 1
            overdue = None
            if value is not None:
                days = [eff + DAY * n for n in range(1, (on - eff).days + 1)]
                overdue = len(days) if kind == "2" else sum(w.is_workday(d) for d in days)
                over = trunc1(own) > trunc1(other) if v.get("injection_flag") == "1" else own > other * F("1.005")
            state = "normal" if value is None or not over else "verify" if overdue > limit else "warn" if overdue >= 1 else "watch"
            out.put("main", month, w.region, prod, own, other, value, state, product=prod)
            out.put("overdue_days", month, w.region, prod, overdue, None, overdue, "normal", product=prod)
    return out.rows


def listing_risk(w, indicator):
    """D02."""
    out = Out(indicator)
    for month in w.months:
        t, on = w.t_of(month), w.date_of(month)
        now, before = w.state("1", t), w.state("1", first_instant(month))
        like = defaultdict(list)
        for price, v in now.values():
            if price is not None:
                like[v["genname"], v["dosform"], v["prod_spec"]].append(price)
        for prod, (own, v) in now.items():
            if own is None:
                continue
            groups = {(b, g) for b, g, role in w.roles[prod] if role in ("3", "4") and w.active(b, on)}
            anchor, warn, verify = None, None, None
            if groups:
                tops = [max((a for (b, g, _), a in w.awards.items() if (b, g) == group and a is not None), default=0) for group in groups]
                anchor = min((top for top in tops if top > 0), default=None)
                warn, verify = (F("1.8"), F(3)) if v["conseval_flag"] == "1" else (F(1), F("1.666667"))
            elif v["drug_type"] == "2":
                anchor, warn, verify = min(like[v["genname"], v["dosform"], v["prod_spec"]]), F(3), F(5)
            judge = lambda x: "verify" if x > verify or x > 10 else "warn" if x > warn else "normal"
            out.put("anchor_ratio", month, w.region, prod, own, anchor, ratio(own, anchor), judge, product=prod)
            old = before.get(prod, (None, None))[0]
            short = v["shortage_flag"] == "1"
            judge = lambda x: "verify" if short and x >= F("0.5") else "warn" if short and x > 0 or abs(x) >= F("0.2") else "normal"
            out.put("change", month, w.region, prod, own, old, None if old is None or old <= 0 else own / old - 1, judge, product=prod)
    return out.rows


def online_rate(w, indicator, kind, list_type, verify, warn):
    """D05, C05."""
    out, held = Out(indicator), {}
    for month in w.months:
        t, known = w.t_of(month), w.state(kind, w.t_of(month))
        sums = defaultdict(lambda: [F(0), F(0)])

        def add(measures, org, at, amount):
            for measure in measures:
                for key in ((measure, w.county(org), "subject", org), (measure, w.county(org), "county", w.county(org)), (measure, w.region, "region", w.region)):
                    sums[key][at] += amount

        def of(code, when):
            """The measures that a row of a product and time counts in."""
            if when >= t or not w.first <= month_of(when) or month_of(when) < plus(month, -11):
                return []
            value = [] if kind == "1" else ["high_value" if code in known and known[code][1]["hval_flag"] == "1" else "low_value"]
            return ["r12", "main", *value] if month_of(when) == month else ["r12"]

        for m in w.moves:
            if m["kind"] == kind and m["scope"] and m["purc"] == "1" and w.is_institution(m["org"]):
                add(of(m["prod"], m["t"]), m["org"], 0, m["amt"])
        for f in w.fees:
            if f["list"] == list_type and w.is_institution(f["org"]) and (f["code"] not in known or known[f["code"]][1]["scope"]):
                add(of(f["code"], f["t"]), f["org"], 1, f["amt"])
        for (measure, county, level, subject), (num, den) in sums.items():
            def judge(value):
                if measure == "r12":
                    return "normal"
                if den < 5000:
                    return "insufficient"
                state = "verify" if value < verify else "warn" if value < warn else "normal"
                before = [held.get((measure, plus(month, -n), level, subject)) in ("warn", "verify") for n in (1, 2)]
                return "verify" if state == "warn" and all(before) else state

            out.put(measure, month, county, subject, num, den, ratio(num, den), judge, level=level)
            held[measure, month, level, subject] = out.rows[indicator, measure, month, county, level, subject, "", "", ""][3]
    return out.rows


def agreed_volume(w, indicator, kind):
    """D09, C07."""
    out = Out(indicator)
    groups = defaultdict(list)
    for r in w.agreements:
        if w.batches[r["btch_code"]]["kind"] == kind and w.is_institution(r["medins_code"]):
            groups[r["medins_code"], r["btch_code"], r["grp_code"]].append(r)
    for month in w.months:
        t, on = w.t_of(month), w.date_of(month)
        track, amounts, lagging = defaultdict(lambda: [0, 0]), defaultdict(lambda: [F(0), F(0)]), defaultdict(int)
        for (org, batch, group), lines in groups.items():
            begn, end, county = w.batches[batch]["begn"], w.batches[batch]["end"], w.county(org)
            if not month_of(begn) <= month <= month_of(end):
                continue
            members = {p for p, of in w.roles.items() if any((b, g) == (batch, group) and role in ("1", "2") for b, g, role in of)}
            num = sum((m["q"] for m in w.moves if m["org"] == org and m["kind"] == kind and m["prod"] in members and m["t"] < t and begn <= m["t"].date() <= min(on, end)), F(0))
            den = sum(number(r["agrm_cnt"]) for r in lines)
            days, run = (end - begn).days + 1, (min(on, end) - begn).days + 1
            done, passed = ratio(num, den), ratio(run, days)
            gap = None if done is None or passed is None else done - passed
            ended = t >= dt.datetime.combine(end + DAY, dt.time())
            whole = 0
            while add_months(begn, whole + 1) <= on + DAY:
                whole += 1

            def judge(value):
                if ended:
                    return "verify" if half_away(done, 6) < 1 else "normal"
                behind = gap is not None and half_away(gap, 6)
                if whole >= 3 and num <= 0 or gap is not None and behind < F("-0.25"):
                    return "warn"
                return "watch" if gap is not None and behind < 0 else "normal"

            at = dict(batch=batch, group=group)
            out.put("main", month, county, org, num, den, done, judge, **at)
            out.put("time_progress", month, county, org, run, days, passed, "normal", **at)
            out.put("gap", month, county, org, None, None, gap, "normal", **at)
            out.put("forecast", month, county, org, None, None, None if done is None or passed is None or passed <= 0 else done / passed, "normal", **at)
            lagging[org, batch] += gap is not None and half_away(gap, 6) < 0
            if done is None:
                continue
            first = min(lines, key=lambda r: r["prod_code"])["prod_code"]
            price = lambda prod: w.awards.get((batch, group, prod)) or F(0)
            good = half_away(done, 6) >= 1 if ended else gap is not None and half_away(gap, 6) >= 0
            for area in ((county, "county"), (w.region, "region")):
                track[area, batch][0] += good
                track[area, batch][1] += 1
                amounts[area, batch][0] += half_away(num * price(first), 2)
                amounts[area, batch][1] += sum(half_away(number(r["agrm_cnt"]) * price(r["prod_code"]), 2) for r in lines)
        for measure, of in (("on_track", track), ("completion_amt", amounts)):
            for ((area, level), batch), (num, den) in of.items():
                out.put(measure, month, area, area, num, den, ratio(num, den), "normal", batch=batch, level=level)
        for (org, batch), n in lagging.items():
            out.put("lagging_groups", month, w.county(org), org, n, None, F(n), "warn" if n >= 15 else "normal", batch=batch)
    return out.rows


def add_months(date, n):
    at = plus(month_of(date), n)
    last = (first_instant(plus(at, 1)) - DAY).day
    return dt.date(int(at[:4]), int(at[5:]), min(date.day, last))


def payment(w, indicator, kind, term, overdue):
    """D17, C14."""
    out = Out(indicator)
    paid = defaultdict(list)
    for p in w.pays:
        paid[p["shp"]].append(p)
    for month in w.months:
        t, on = w.t_of(month), w.date_of(month)
        sums = defaultdict(lambda: [F(0), F(0)])

        def add(measure, org, num, den):
            for key in ((measure, w.county(org), "subject", org), (measure, w.county(org), "county", w.county(org)), (measure, w.region, "region", w.region)):
                sums[key][0] += num
                sums[key][1] += den

        for shp, r in w.receipts.items():
            if r["kind"] != kind or not w.is_institution(r["org"]) or r["t"] >= t:
                continue
            due = r["t"].date() + DAY * 30
            back = sum((amt for when, amt in w.back[shp] if when < t), F(0))
            if month_of(due) == month and due <= on:
                owed = max(F(0), r["amt"] - back)
                add("main", r["org"], min(owed, sum((p["amt"] for p in paid[shp] if p["t"] < t and p["t"].date() <= due), F(0))), owed)
            if r["t"].date() + DAY * term < on:
                add(overdue, r["org"], max(F(0), r["amt"] - back - sum((p["amt"] for p in paid[shp] if p["t"] < t), F(0))), 0)
        for p in w.pays:
            if p["kind"] != kind or not w.is_institution(p["org"]) or month_of(p["t"]) != month or p["t"] >= t:
                continue
            r = w.receipts.get(p["shp"])
            if r is not None and r["t"] < t:
                add("dso", p["org"], p["amt"] * (p["t"].date() - r["t"].date()).days, p["amt"])
            if any(role in ("1", "2") and w.active(b, on) for b, _, role in w.roles[p["prod"]]):
                add("direct_rate", p["org"], p["amt"] if p["mode"] == "1" else 0, p["amt"])
        for (measure, county, level, subject), (num, den) in sums.items():
            if measure == overdue:
                out.put(measure, month, county, subject, num, None, num, "verify" if num > 0 and level == "subject" else "normal", level=level)
            else:
                judge = lambda x: "watch" if measure == "main" and x < F("0.95") else "normal"
                out.put(measure, month, county, subject, num, den, ratio(num, den), judge, level=level)
    return out.rows


def rows(w):
    """All rows that must be published."""
    return {
        **linkage(w, "D01", "1", 20), **linkage(w, "C01", "2", 30), **listing_risk(w, "D02"),
        **online_rate(w, "D05", "1", "101", F("0.70"), F("0.90")), **online_rate(w, "C05", "2", "301", F("0.60"), F("0.80")),
        **agreed_volume(w, "D09", "1"), **agreed_volume(w, "C07", "2"),
        **payment(w, "D17", "1", 60, "overdue_60"), **payment(w, "C14", "2", 90, "overdue_90"),
    }
