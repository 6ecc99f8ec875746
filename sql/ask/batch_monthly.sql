-- batch_monthly 批次净收货按月合计：医疗机构 × 批次 × 分组 × 角色 × 月份；所问月份内的事件截至该月的 T。
-- Questions: how much has come of an agreement by the end of a month? Sum the months up to the asked one.
SELECT
    moved.medins_code AS medins_code,
    moved.prod_type AS prod_type,
    moved.btch_code AS btch_code,
    moved.grp_code AS grp_code,
    moved.prod_role AS prod_role,
    moved.event_month AS event_month,
    SUM(moved.min_cnt) AS min_cnt,
    SUM(CASE WHEN moved.excluded_reason IS NULL THEN moved.event_amt ELSE 0 END) AS dear_amt
FROM ask.batch_moved AS moved
LEFT JOIN ask.month AS own
    ON own.month = moved.event_month
WHERE moved.org_type = '1'
  AND (own.month IS NULL OR moved.event_time < own.as_of)
GROUP BY
    moved.medins_code,
    moved.prod_type,
    moved.btch_code,
    moved.grp_code,
    moved.prod_role,
    moved.event_month
