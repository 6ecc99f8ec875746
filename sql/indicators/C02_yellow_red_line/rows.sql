-- Yellow and red line: own listing unit price ÷ the exact median of the listed consumables with the same first 15 characters of the code
-- and the same unit (null is a unit too); groups of fewer than $group_min are not judged.
WITH ranked AS (
    SELECT
        state.month AS month,
        substr(state.prod_code, 1, 15) AS head,
        COALESCE(state.unt, '') AS unt,
        state.unit_pric AS unit_pric,
        ROW_NUMBER() OVER (
            PARTITION BY state.month, substr(state.prod_code, 1, 15), COALESCE(state.unt, '')
            ORDER BY state.unit_pric, state.prod_code
        ) AS place,
        COUNT(*) OVER (PARTITION BY state.month, substr(state.prod_code, 1, 15), COALESCE(state.unt, '')) AS members
    FROM ask.product_state AS state
    WHERE state.prod_type = '2'
      AND state.listed_flag = '1'
),

middle AS (
    SELECT
        ranked.month AS month,
        ranked.head AS head,
        ranked.unt AS unt,
        MAX(ranked.members) AS members,
        SUM(
            CASE
                WHEN 2 * ranked.place = ranked.members + 1 THEN 2 * ranked.unit_pric
                WHEN 2 * ranked.place IN (ranked.members, ranked.members + 2) THEN ranked.unit_pric
                ELSE CAST(0 AS DECIMAL(18, 6))
            END
        ) * CAST('0.5' AS DECIMAL(2, 1)) AS median_pric
    FROM ranked
    GROUP BY
        ranked.month,
        ranked.head,
        ranked.unt
)

SELECT
    state.month AS month,
    $region AS county,
    state.prod_code AS subject_code,
    state.prod_code AS product_code,
    CAST(state.unit_pric AS DECIMAL(38, 10)) AS num,
    CASE WHEN middle.members >= $group_min THEN CAST(middle.median_pric AS DECIMAL(38, 10)) END AS den,
    middle.members AS max_members,
    'fact_listing_price' AS source_table,
    concat_ws('|', '2', state.pubonln_rslt_id, to_char(state.pric_eff_time, '%Y-%m-%d %H:%M:%S')) AS row_key
FROM ask.product_state AS state
INNER JOIN middle
    ON middle.month = state.month
    AND middle.head = substr(state.prod_code, 1, 15)
    AND middle.unt = COALESCE(state.unt, '')
WHERE state.prod_type = '2'
  AND state.listed_flag = '1'
