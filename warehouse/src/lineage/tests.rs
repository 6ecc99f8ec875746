//! Hand-worked examples: what each column comes from, and how.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;

use super::{QueryLineage, of_plan};
use crate::gold::Session;

/// Tables `gold.t(a, b, c)` and `gold.u(k, x, y)`, numbers, and `gold.s(k, name)`, where `name` is text.
fn session() -> Session {
    let session = Session::new(Some(1), None).unwrap();
    for (name, columns) in [("t", vec!["a", "b", "c"]), ("u", vec!["k", "x", "y"]), ("s", vec!["k", "name"])] {
        let kind = |column: &str| if column == "name" { DataType::Utf8 } else { DataType::Int64 };
        let fields: Vec<Field> = columns.into_iter().map(|column| Field::new(column, kind(column), true)).collect();
        let table = MemTable::try_new(Arc::new(Schema::new(fields)), vec![Vec::new()]).unwrap();
        session.put("gold", name, Arc::new(table)).unwrap();
    }
    session
}

async fn branches(sql: &str) -> Vec<QueryLineage> {
    let frame = session().context().sql(sql).await.unwrap();
    of_plan(frame.logical_plan())
}

/// `column: table.column TRANSFORM …` a line, then what decides the rows.
fn shown(of: &QueryLineage) -> Vec<String> {
    let list = |from: &super::Influence| -> String {
        from.iter()
            .flat_map(|(column, how)| {
                how.iter().map(move |how| format!(" {}:{}", column.to_string().trim_start_matches("gold."), how.as_str()))
            })
            .collect()
    };
    let mut lines: Vec<String> = of
        .columns
        .iter()
        .map(|(name, origin)| {
            let constants: String = origin.constants.iter().map(|constant| format!(" ={constant}")).collect();
            let parameters: String = origin.parameters.iter().map(|name| format!(" ${name}")).collect();
            format!("{name}:{}{constants}{parameters}", list(&origin.from))
        })
        .collect();
    lines.push(format!("rows:{}", list(&of.influence)));
    lines
}

async fn one(sql: &str) -> Vec<String> {
    shown(&QueryLineage::merged(&branches(sql).await))
}

#[tokio::test]
async fn values_are_told_from_what_is_computed_and_what_decides() {
    let found = one("SELECT t.a AS same, t.a + t.b AS sum, CAST(t.c AS VARCHAR) AS text, 7 AS seven, $p AS given, \
                     CASE WHEN t.a > 0 THEN t.b ELSE 0 END AS pick FROM gold.t AS t WHERE t.c = 1")
    .await;
    assert_eq!(
        found,
        [
            "same: t.a:IDENTITY",
            "sum: t.a:TRANSFORMATION t.b:TRANSFORMATION",
            "text: t.c:TRANSFORMATION",
            "seven: =7",
            "given: $p",
            "pick: t.a:CONDITIONAL t.b:TRANSFORMATION =0",
            "rows: t.c:FILTER",
        ]
    );
}

#[tokio::test]
async fn joins_and_aliases_and_common_tables() {
    let found = one("WITH w AS (SELECT u.k AS id, u.x * 2 AS twice FROM gold.u AS u WHERE u.y > 3) \
                     SELECT l.a AS a, r.twice AS twice, l2.b AS b FROM gold.t AS l LEFT JOIN w AS r ON r.id = l.b \
                     INNER JOIN gold.t AS l2 ON l2.a = l.c AND l2.c > r.twice")
    .await;
    assert_eq!(
        found,
        [
            "a: t.a:IDENTITY",
            "twice: u.x:TRANSFORMATION",
            "b: t.b:IDENTITY",
            // id and b of the first join; a, c and the other's c, and through `twice` x of the second; y of the common table
            "rows: t.a:JOIN t.b:JOIN t.c:JOIN u.k:JOIN u.x:JOIN u.y:FILTER",
        ]
    );
}

#[tokio::test]
async fn aggregates_and_having() {
    let found = one("SELECT t.a AS a, SUM(t.b) AS b, COUNT(*) AS n, MAX(t.b) FILTER (WHERE t.c > 0) AS top \
                     FROM gold.t AS t GROUP BY t.a HAVING MIN(t.c) > 1")
    .await;
    assert_eq!(
        found,
        ["a: t.a:IDENTITY", "b: t.b:AGGREGATION", "n: t.*:AGGREGATION", "top: t.b:AGGREGATION t.c:FILTER", "rows: t.a:GROUP_BY t.c:FILTER",]
    );
    let found = one("SELECT MAX(inner_q.s) AS s FROM (SELECT SUM(t.b) + 1 AS s FROM gold.t AS t GROUP BY t.a) AS inner_q").await;
    assert_eq!(found, ["s: t.b:AGGREGATION", "rows: t.a:GROUP_BY"]);
}

#[tokio::test]
async fn window_functions() {
    let found = one("SELECT t.a AS a, ROW_NUMBER() OVER (PARTITION BY t.b ORDER BY t.c, t.a) AS n, \
                     LAG(t.c) OVER (ORDER BY t.a) AS before FROM gold.t AS t")
    .await;
    assert_eq!(
        found,
        ["a: t.a:IDENTITY", "n: t.*:AGGREGATION t.a:WINDOW t.b:WINDOW t.c:WINDOW", "before: t.a:WINDOW t.c:AGGREGATION", "rows:",]
    );
    // The classic pick of one row: what orders the window decides which rows there are.
    let found =
        one("SELECT q.a AS a FROM (SELECT t.a AS a, ROW_NUMBER() OVER (PARTITION BY t.b ORDER BY t.c) AS n FROM gold.t AS t) AS q \
                     WHERE q.n = 1")
        .await;
    assert_eq!(found, ["a: t.a:IDENTITY", "rows: t.*:FILTER t.b:FILTER t.c:FILTER"]);
}

#[tokio::test]
async fn subqueries_with_the_columns_around_them() {
    let found = one("SELECT t.a AS a, (SELECT MAX(u.x) FROM gold.u AS u WHERE u.k = t.b) AS top FROM gold.t AS t \
                     WHERE EXISTS (SELECT 1 FROM gold.s AS s WHERE s.k = t.c) AND t.a IN (SELECT u.y FROM gold.u AS u)")
    .await;
    assert_eq!(
        found,
        ["a: t.a:IDENTITY", "top: t.b:FILTER u.k:FILTER u.x:AGGREGATION", "rows: s.*:FILTER s.k:FILTER t.a:FILTER t.c:FILTER u.y:FILTER",]
    );
}

#[tokio::test]
async fn unions_are_added_and_their_branches_stay_apart() {
    let sql =
        "SELECT 'one' AS measure, t.a AS v FROM gold.t AS t WHERE t.b > 0 UNION ALL SELECT 'two' AS measure, u.x AS v FROM gold.u AS u";
    assert_eq!(one(sql).await, ["measure: ='one' ='two'", "v: t.a:IDENTITY u.x:IDENTITY", "rows: t.b:FILTER"]);
    let two = branches(sql).await;
    assert_eq!(two.len(), 2);
    assert_eq!(two[0].constants.get("measure").map(String::as_str), Some("one"));
    assert_eq!(shown(&two[0]), ["measure: ='one'", "v: t.a:IDENTITY", "rows: t.b:FILTER"]);
    assert_eq!(shown(&two[1]), ["measure: ='two'", "v: u.x:IDENTITY", "rows:"]);
    // UNION without ALL takes equal rows together.
    let found = one("SELECT t.a AS v FROM gold.t AS t UNION SELECT u.x AS v FROM gold.u AS u").await;
    assert_eq!(found, ["v: t.a:IDENTITY u.x:IDENTITY", "rows: t.a:GROUP_BY u.x:GROUP_BY"]);
}

#[tokio::test]
async fn a_list_of_measures_chooses_the_arm_of_a_case() {
    let found = branches(
        "SELECT pick.measure AS measure, CASE pick.measure WHEN 'sum' THEN t.a WHEN 'top' THEN t.b END AS v, \
         CASE WHEN pick.measure = 'top' THEN t.c ELSE 0 END AS w \
         FROM gold.t AS t CROSS JOIN (SELECT 'sum' AS measure UNION ALL SELECT 'top' AS measure) AS pick",
    )
    .await;
    assert_eq!(found.len(), 2);
    assert_eq!(shown(&found[0]), ["measure: ='sum'", "v: t.a:TRANSFORMATION", "w: =0", "rows:"]);
    assert_eq!(shown(&found[1]), ["measure: ='top'", "v: t.b:TRANSFORMATION", "w: t.c:TRANSFORMATION", "rows:"]);
}

#[tokio::test]
async fn groups_keep_branches_apart_only_where_they_can() {
    let union = "(SELECT 'x' AS kind, t.a AS v FROM gold.t AS t UNION ALL SELECT 'y' AS kind, u.x AS v FROM gold.u AS u) AS e";
    let apart = branches(&format!("SELECT e.kind AS kind, SUM(e.v) AS v FROM {union} GROUP BY e.kind")).await;
    assert_eq!(apart.len(), 2);
    assert_eq!(shown(&apart[1]), ["kind: ='y'", "v: u.x:AGGREGATION", "rows:"]);
    let together = branches(&format!("SELECT SUM(e.v) AS v FROM {union}")).await;
    assert_eq!(together.len(), 1);
    assert_eq!(shown(&together[0]), ["v: t.a:AGGREGATION u.x:AGGREGATION", "rows:"]);
    // a filter on the constant leaves one branch
    let filtered = branches(&format!("SELECT e.v AS v FROM {union} WHERE e.kind = 'y'")).await;
    assert_eq!(filtered.iter().map(shown).collect::<Vec<_>>(), [vec!["v: u.x:IDENTITY", "rows:"]]);
}

#[tokio::test]
async fn coalesce_may_be_its_constant_and_a_sum_is_not() {
    let found = one(
        "SELECT COALESCE(t.a, 0) AS a, t.b + 1 AS b, COALESCE(s.name, 'none') AS name FROM gold.t AS t LEFT JOIN gold.s AS s ON s.k = t.a",
    )
    .await;
    assert_eq!(
        found,
        ["a: t.a:TRANSFORMATION =0", "b: t.b:TRANSFORMATION", "name: s.name:TRANSFORMATION ='none'", "rows: s.k:JOIN t.a:JOIN"]
    );
}

#[tokio::test]
async fn distinct_and_limits() {
    assert_eq!(one("SELECT DISTINCT t.a AS a FROM gold.t AS t").await, ["a: t.a:IDENTITY", "rows: t.a:GROUP_BY"]);
    assert_eq!(one("SELECT t.a AS a FROM gold.t AS t ORDER BY t.b LIMIT 3").await, ["a: t.a:IDENTITY", "rows: t.b:SORT"]);
    assert_eq!(one("SELECT t.a AS a FROM gold.t AS t ORDER BY t.b").await, ["a: t.a:IDENTITY", "rows:"]);
}
