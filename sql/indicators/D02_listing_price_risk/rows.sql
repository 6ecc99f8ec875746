-- Listing-price risk. anchor_ratio: own listing unit price ÷ anchor: (a) for a product with role 3 or 4 in a batch active at T the highest award
-- unit price of its group (of several groups the lowest one above 0, i.e. the highest ratio; the batch's type is not asked: the product is a drug); (b) for other Chinese patent medicines the lowest listed
-- unit price of the same generic name, form and specification. change: own at T against own at the end of the month before.
-- kind 1: (a) consistency evaluated; 2: (a) not; 3: (b).
WITH before AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.unit_pric AS unit_pric
    FROM (
        SELECT
            m.month AS month,
            state.prod_code AS prod_code,
            state.unit_pric AS unit_pric,
            ROW_NUMBER() OVER (
                PARTITION BY m.month, state.prod_code
                ORDER BY state.state_time DESC, state.prod_code
            ) AS state_no
        FROM gold.fact_product_state AS state
        INNER JOIN ask.month AS m
            ON state.state_time < m.month_start
        WHERE state.prod_type = '1'
    ) AS ranked
    WHERE ranked.state_no = 1
),

winner AS (
    SELECT
        m.month AS month,
        prod.prod_code AS prod_code,
        MIN(CASE WHEN prod.grp_award_max > 0 THEN prod.grp_award_max END) AS anchor
    FROM gold.fact_vbp_product AS prod
    INNER JOIN ask.month AS m
        ON prod.agrt_begn_date <= m.as_of_date
        AND prod.agrt_end_date >= m.as_of_date
    WHERE prod.prod_role IN ('3', '4')
    GROUP BY
        m.month,
        prod.prod_code
),

same AS (
    SELECT
        state.month AS month,
        state.genname AS genname,
        state.dosform AS dosform,
        state.prod_spec AS prod_spec,
        MIN(state.unit_pric) AS anchor
    FROM ask.product_state AS state
    WHERE state.prod_type = '1'
      AND state.listed_flag = '1'
    GROUP BY
        state.month,
        state.genname,
        state.dosform,
        state.prod_spec
),

compared AS (
    SELECT
        state.month AS month,
        state.prod_code AS prod_code,
        concat_ws('|', '1', state.pubonln_rslt_id, to_char(state.pric_eff_time, '%Y-%m-%d %H:%M:%S')) AS row_key,
        state.unit_pric AS own,
        CASE
            WHEN winner.prod_code IS NOT NULL THEN winner.anchor
            WHEN state.drug_type = '2' THEN same.anchor
        END AS anchor,
        CASE
            WHEN winner.prod_code IS NOT NULL AND state.conseval_flag = '1' THEN 1
            WHEN winner.prod_code IS NOT NULL THEN 2
            WHEN state.drug_type = '2' THEN 3
        END AS kind,
        CASE WHEN winner.prod_code IS NOT NULL THEN 1 ELSE 0 END AS winner_anchor,
        CASE WHEN state.shortage_flag = '1' THEN 1 ELSE 0 END AS shortage,
        before.unit_pric AS before_pric
    FROM ask.product_state AS state
    LEFT JOIN winner
        ON winner.month = state.month
        AND winner.prod_code = state.prod_code
    LEFT JOIN same
        ON same.month = state.month
        AND same.genname = state.genname
        AND same.dosform = state.dosform
        AND same.prod_spec = state.prod_spec
    LEFT JOIN before
        ON before.month = state.month
        AND before.prod_code = state.prod_code
    WHERE state.prod_type = '1'
      AND state.listed_flag = '1'
)

SELECT
    'anchor_ratio' AS measure,
    compared.month AS month,
    $region AS county,
    compared.prod_code AS subject_code,
    compared.prod_code AS product_code,
    CAST(compared.own AS DECIMAL(38, 6)) AS num,
    CAST(compared.anchor AS DECIMAL(38, 6)) AS den,
    compared.kind AS max_kind,
    compared.winner_anchor AS max_winner_anchor,
    compared.shortage AS max_shortage,
    'fact_listing_price' AS source_table,
    compared.row_key AS row_key
FROM compared
UNION ALL
SELECT
    'change' AS measure,
    compared.month AS month,
    $region AS county,
    compared.prod_code AS subject_code,
    compared.prod_code AS product_code,
    CAST(compared.own AS DECIMAL(38, 6)) AS num,
    CAST(compared.before_pric AS DECIMAL(38, 6)) AS den,
    compared.kind AS max_kind,
    compared.winner_anchor AS max_winner_anchor,
    compared.shortage AS max_shortage,
    'fact_listing_price' AS source_table,
    compared.row_key AS row_key
FROM compared
