-- Price-linkage overdue: every product listed at T, its lowest listing unit price (num) against the lowest active unit price of other
-- provinces (den). `over` and `overdue` (workdays for drugs, days for consumables, since that price took effect) decide the state.
-- Without a price of others above 0 there is nothing to be overdue to: neither measure has a value.
WITH ref AS (
    SELECT
        m.month AS month,
        m.as_of_date AS as_of_date,
        price.prod_code AS prod_code,
        price.unit_pric AS unit_pric,
        price.eff_date AS eff_date,
        price.actv_zone_flag AS actv_zone_flag,
        ROW_NUMBER() OVER (
            PARTITION BY m.month, price.prod_code, substr(price.prov_admdvs, 1, 2)
            ORDER BY price.eff_date DESC, price.prov_admdvs, price.prod_code
        ) AS ref_no
    FROM gold.fact_ref_price AS price
    INNER JOIN ask.month AS m
        ON price.eff_date <= m.as_of_date
    WHERE substr(price.prov_admdvs, 1, 2) <> substr($region, 1, 2)
),

cheapest AS (
    SELECT
        ranked.month AS month,
        ranked.as_of_date AS as_of_date,
        ranked.prod_code AS prod_code,
        ranked.unit_pric AS unit_pric,
        ranked.eff_date AS eff_date
    FROM (
        SELECT
            ref.month AS month,
            ref.as_of_date AS as_of_date,
            ref.prod_code AS prod_code,
            ref.unit_pric AS unit_pric,
            ref.eff_date AS eff_date,
            ROW_NUMBER() OVER (
                PARTITION BY ref.month, ref.prod_code
                ORDER BY ref.unit_pric, ref.eff_date, ref.prod_code
            ) AS price_no
        FROM ref
        WHERE ref.ref_no = 1
          AND ref.actv_zone_flag = '1'
    ) AS ranked
    WHERE ranked.price_no = 1
),

shift AS (
    SELECT
        span.as_of_date AS as_of_date,
        span.eff_date AS eff_date,
        SUM(day.workday_shift) AS workday_shift
    FROM (
        SELECT DISTINCT
            cheapest.as_of_date AS as_of_date,
            cheapest.eff_date AS eff_date
        FROM cheapest
    ) AS span
    INNER JOIN gold.dim_date AS day
        ON day.cal_date > span.eff_date
        AND day.cal_date <= span.as_of_date
    GROUP BY
        span.as_of_date,
        span.eff_date
),

compared AS (
    SELECT
        state.month AS month,
        state.prod_code AS prod_code,
        state.pubonln_rslt_id AS pubonln_rslt_id,
        state.pric_eff_time AS pric_eff_time,
        state.unit_pric AS own,
        cheapest.unit_pric AS other,
        CASE
            WHEN cheapest.unit_pric IS NULL THEN NULL
            WHEN state.injection_flag = '1' AND trunc1(state.unit_pric) > trunc1(cheapest.unit_pric) THEN 1
            WHEN state.injection_flag = '1' THEN 0
            WHEN state.unit_pric > cheapest.unit_pric * $tolerance THEN 1
            ELSE 0
        END AS over,
        CASE
            WHEN $prod_type = '2' THEN CAST(CAST(cheapest.as_of_date AS INTEGER) - CAST(cheapest.eff_date AS INTEGER) AS BIGINT)
            ELSE CAST(5 * CAST((CAST(cheapest.as_of_date AS INTEGER) + 3) / 7 AS INTEGER) + LEAST((CAST(cheapest.as_of_date AS INTEGER) + 3) % 7 + 1, 5) AS BIGINT)
                - CAST(5 * CAST((CAST(cheapest.eff_date AS INTEGER) + 3) / 7 AS INTEGER) + LEAST((CAST(cheapest.eff_date AS INTEGER) + 3) % 7 + 1, 5) AS BIGINT)
                + COALESCE(shift.workday_shift, 0)
        END AS overdue
    FROM ask.product_state AS state
    LEFT JOIN cheapest
        ON cheapest.month = state.month
        AND cheapest.prod_code = state.prod_code
    LEFT JOIN shift
        ON shift.as_of_date = cheapest.as_of_date
        AND shift.eff_date = cheapest.eff_date
    WHERE state.prod_type = $prod_type
      AND state.listed_flag = '1'
)

SELECT
    'main' AS measure,
    compared.month AS month,
    $region AS county,
    compared.prod_code AS subject_code,
    compared.prod_code AS product_code,
    CAST(compared.own AS DECIMAL(38, 6)) AS num,
    CAST(compared.other AS DECIMAL(38, 6)) AS den,
    compared.over AS max_over,
    compared.overdue AS max_overdue,
    'fact_listing_price' AS source_table,
    concat_ws('|', $prod_type, compared.pubonln_rslt_id, to_char(compared.pric_eff_time, '%Y-%m-%d %H:%M:%S')) AS row_key
FROM compared
UNION ALL
SELECT
    'overdue_days' AS measure,
    compared.month AS month,
    $region AS county,
    compared.prod_code AS subject_code,
    compared.prod_code AS product_code,
    CAST(CASE WHEN compared.other > 0 THEN compared.overdue END AS DECIMAL(38, 6)) AS num,
    CAST(NULL AS DECIMAL(38, 6)) AS den,
    compared.over AS max_over,
    compared.overdue AS max_overdue,
    'fact_listing_price' AS source_table,
    concat_ws('|', $prod_type, compared.pubonln_rslt_id, to_char(compared.pric_eff_time, '%Y-%m-%d %H:%M:%S')) AS row_key
FROM compared
