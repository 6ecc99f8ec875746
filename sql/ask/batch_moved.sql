-- batch_moved 批次净收货：协议期内的收货与退货，按批次、分组、角色；行的产品类型须与批次的相同。
-- Questions: what did an institution take of a group while its agreement ran, from winners and from others?
-- An event of a product in several groups is there once a group. A non-winner bought at or below the group's lowest award unit price has a reason
-- not to count, and so have its returns.
SELECT
    moved.county AS county,
    moved.event_month AS event_month,
    moved.event_time AS event_time,
    moved.medins_code AS medins_code,
    moved.org_type AS org_type,
    moved.prod_type AS prod_type,
    prod.btch_code AS btch_code,
    prod.grp_code AS grp_code,
    prod.prod_role AS prod_role,
    prod.agrt_begn_date AS agrt_begn_date,
    prod.agrt_end_date AS agrt_end_date,
    moved.min_cnt AS min_cnt,
    moved.event_amt AS event_amt,
    moved.source_table AS source_table,
    moved.row_key AS row_key,
    CASE
        WHEN prod.prod_role = '3' AND moved.unit_pric <= prod.grp_award_min THEN 'not dearer than the winner'
    END AS excluded_reason
FROM ask.moved AS moved
INNER JOIN gold.fact_vbp_product AS prod
    ON prod.prod_code = moved.prod_code
    AND prod.prod_type = moved.prod_type
    AND prod.agrt_begn_date <= CAST(moved.event_time AS DATE)
    AND prod.agrt_end_date >= CAST(moved.event_time AS DATE)
