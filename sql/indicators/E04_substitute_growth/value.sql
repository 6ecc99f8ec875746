-- Substitute growth: net received minimum units of a group's role-4 products, from the later of the agreement's beginning and twelve months before T, to T,
-- against the same days a year before; both kinds of products.
SELECT
    'main' AS measure,
    event.month AS month,
    event.county AS county,
    'subject' AS level,
    event.medins_code AS subject_code,
    '' AS product_code,
    event.btch_code AS batch_code,
    event.grp_code AS group_code,
    CAST(SUM(event.num) AS DECIMAL(38, 10)) AS numerator,
    CAST(SUM(event.den) AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(SUM(event.amount) AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    COUNT(*) AS sample_n,
    MIN(event.whole_base) AS in_whole_base
FROM ask.basis AS event
GROUP BY
    event.month,
    event.county,
    event.medins_code,
    event.btch_code,
    event.grp_code
HAVING SUM(event.num) <> 0
    OR SUM(event.den) <> 0
