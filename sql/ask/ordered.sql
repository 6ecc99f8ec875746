-- ordered 所问月份内发出的订单行，带价格上限与超出上限的差额；T 之前作废的行带原因，不计。
-- Questions: what was ordered in the month, at which price above its cap, while its listing was suspended?
-- The cap: the lower of the line's own listing price when sent and, for a winner of a batch active that day, the award price in the line's pack; null where there is neither.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS medins_code,
    line.org_type AS org_type,
    line.prod_type AS prod_type,
    line.prod_code AS prod_code,
    line.ord_detl_id AS ord_detl_id,
    line.convrat AS convrat,
    line.purc_cnt AS purc_cnt,
    line.purcpric AS purcpric,
    line.purc_amt AS purc_amt,
    line.purcpric - LEAST(line.list_pric, line.award_cap_pric) AS excess_pric,
    line.list_stas AS list_stas,
    CASE WHEN line.cncl_type IS NOT NULL AND line.cncl_time < m.as_of THEN 'cancelled' END AS excluded_reason
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = line.month
WHERE line.send_time < m.as_of
