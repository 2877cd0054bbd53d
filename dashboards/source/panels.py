"""The house style: how a query, a panel and a variable of these dashboards look.

Everything is built with grafana-foundation-sdk, whose types are generated from Grafana's own schema.
"""

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

OVERVIEW_UID = "multistore-overview"
INSTANCE_UID = "multistore-instance"
TAG = "multistore"

DATA_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"

# The value that a state has where sidecars of one instance disagree; the sidecar's own are 0 to 3.
DISAGREEMENT = 9

STATES = {
    0: ("old store only", BLUE),
    1: ("dual write, old store answers", YELLOW),
    2: ("dual write, new store answers", ORANGE),
    3: ("new store only", GREEN),
    DISAGREEMENT: ("sidecars disagree", RED),
}
UP = {0: ("down", RED), 1: ("up", GREEN)}
YES = {0: ("no", RED), 1: ("yes", GREEN)}
OFF_ON = {0: ("off", BLUE), 1: ("on", GREEN)}

# Bad from the first one on, and shares of a limit.
NONE_ALLOWED = [(None, GREEN), (1, RED)]
NEARLY_FULL = [(None, GREEN), (0.8, ORANGE), (0.95, RED)]

# The three counters that GitLab's MultiStore has.
FALLBACKS = "gitlab_redis_multi_store_read_fallback_total"
DIFFS = "gitlab_redis_multi_store_pipelined_diff_error_total"
MISSING = "gitlab_redis_multi_store_method_missing_total"


# --- PromQL -----------------------------------------------------------------------------------------------------------

SELECTED = 'job=~"$job", instance_name=~"$instance_name"'


def metric(name: str, *matchers: str) -> str:
    """A metric of the selected instances."""
    return f"{name}{{{', '.join([SELECTED, *matchers])}}}"


def rate(name: str, *matchers: str) -> str:
    """A counter's growth in a second, over what Grafana takes for a good window."""
    return f"rate({metric(name, *matchers)}[$__rate_interval])"


def increase(name: str, window: str, *matchers: str) -> str:
    """A counter's growth over a window."""
    return f"increase({metric(name, *matchers)}[{window}])"


def total(by: str, expression: str) -> str:
    return f"sum by ({by}) ({expression})"


def worst(by: str, expression: str) -> str:
    return f"max by ({by}) ({expression})"


def quantile(share: float, by: str) -> str:
    """A quantile of the stores' latency."""
    buckets = total(f"le, {by}", rate("multistore_store_latency_seconds_bucket"))
    return f"histogram_quantile({share}, {buckets})"


# --- Queries and panels -----------------------------------------------------------------------------------------------


def query(expression: str, legend: str) -> prometheus.Dataquery:
    """A query whose whole time range is shown."""
    return prometheus.Dataquery().expr(expression).legend_format(legend).range().datasource(DATA_SOURCE)


def instant(expression: str, legend: str) -> prometheus.Dataquery:
    """A query of which only the present value is shown."""
    return prometheus.Dataquery().expr(expression).legend_format(legend).instant().datasource(DATA_SOURCE)


def graph(title: str, description: str, *queries, unit: str, width: int = 8, maximum: float | None = None,
          limits: list | None = None, stacked: bool = False):
    """Lines over time; `limits` are drawn as dashed lines in their colours."""
    panel = timeseries.Panel().unit(unit).min(0).line_width(1).fill_opacity(10).show_points(
        common_models.VisibilityMode.NEVER)
    panel.legend(common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.TABLE)
                 .placement(common_models.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])
                 .sort_by("Last *").sort_desc(True))
    panel.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
                  .sort(common_models.SortOrder.DESCENDING))
    if maximum is not None:
        panel.max(maximum)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if limits:
        panel.thresholds(_thresholds(limits)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED))
    return _finished(panel, title, description, queries, width, 8)


def verdict(title: str, description: str, *queries, width: int = 3, height: int = 4, unit: str = "short",
            steps: list | None = None, words: dict | None = None, names: bool = False):
    """Present values in the colour of what they mean: by `steps`, or by the `words` that stand for them."""
    panel = stat.Panel().unit(unit).color_mode(common_models.BigValueColorMode.BACKGROUND).graph_mode(
        common_models.BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    mode = common_models.BigValueTextMode
    panel.text_mode(mode.VALUE_AND_NAME if names else mode.AUTO)
    panel.thresholds(_thresholds(steps or [(None, GREY)]))
    if words:
        panel.mappings(_mappings(words))
    return _finished(panel, title, description, queries, width, height)


def timeline(title: str, description: str, *queries, words: dict, width: int = 12, height: int = 6):
    """What held when, as coloured bars."""
    panel = statetimeline.Panel().mappings(_mappings(words)).merge_values(True).fill_opacity(80).line_width(0)
    panel.show_value(common_models.VisibilityMode.AUTO).row_height(0.8).thresholds(_thresholds([(None, GREY)]))
    panel.legend(common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.LIST)
                 .placement(common_models.LegendPlacement.BOTTOM).show_legend(False))
    panel.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.SINGLE))
    return _finished(panel, title, description, queries, width, height)


def listing(title: str, description: str, *queries, columns: list[str], width: int = 12, height: int = 6):
    """A table of present label values: `columns` are the labels that it shows, in this order."""
    for source in queries:
        source.format(PromQueryFormat.TABLE)
    panel = table.Panel().show_header(True).cell_height(common_models.TableCellHeight.SM)
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options={
        "excludeByName": {}, "includeByName": {name: True for name in columns},
        "indexByName": {name: index for index, name in enumerate(columns)}, "renameByName": {"instance": "sidecar"},
    }))
    return _finished(panel, title, description, queries, width, height)


def _finished(panel, title, description, queries, width, height):
    for letter, source in zip("ABCDEFGH", queries, strict=False):
        panel.with_target(source.ref_id(letter))
    return panel.title(title).description(description).datasource(DATA_SOURCE).span(width).height(height)


def _thresholds(steps: list) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(
        [models.Threshold(value=value, color=color) for value, color in steps])


def _mappings(words: dict) -> list:
    return [models.ValueMap(options={
        str(value): models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(words.items())
    })]


# --- Dashboards -------------------------------------------------------------------------------------------------------


def board(uid: str, title: str, *, description: str, several_instances: bool) -> dashboard.Dashboard:
    """A dashboard without panels: the variables and the way to the other dashboard."""
    made = dashboard.Dashboard(title).uid(uid).description(description).tags([TAG]).editable()
    made.time("now-3h", "now").refresh("30s").timezone("browser").tooltip(models.DashboardCursorSync.CROSSHAIR)
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    made.with_variable(_variable("job", "Job", "label_values(multistore_build_info, job)", several=True))
    instances = 'label_values(multistore_client_connections{job=~"$job"}, instance_name)'
    made.with_variable(_variable("instance_name", "Instance", instances, several=several_instances))
    made.link(dashboard.DashboardLink("MultiStore").type(models.DashboardLinkType.DASHBOARDS).tags([TAG])
              .include_vars(True).keep_time(True).icon("external link").tooltip("").url(""))
    return made


def finished(made: dashboard.Dashboard) -> models.Dashboard:
    """The dashboard as Grafana takes it: panels numbered, flag flips marked in every graph."""
    built = made.build()
    for number, panel in enumerate(built.panels, start=1):
        panel.id_val = number
    flips = worst("flag, instance_name", metric("multistore_feature_flag_last_change_timestamp_seconds") + " > 0")
    built.annotations = models.AnnotationContainer(list_val=[
        _TimedAnnotation(name="Flag flips", datasource=DATA_SOURCE, icon_color=BLUE, expr=f"{flips} * 1000")])
    return built


class _TimedAnnotation(models.AnnotationQuery):
    """Marks that stand where their value says, in milliseconds; the SDK does not know these fields of Prometheus'."""

    def to_json(self) -> dict[str, object]:
        return super().to_json() | {
            "titleFormat": "{{instance_name}}: {{flag}}", "tagKeys": "instance_name", "useValueForTime": True}


def _variable(name: str, label: str, values: str, *, several: bool) -> dashboard.QueryVariable:
    made = dashboard.QueryVariable(name).label(label).query(values).datasource(DATA_SOURCE)
    made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
    return made.multi(several).include_all(several)
