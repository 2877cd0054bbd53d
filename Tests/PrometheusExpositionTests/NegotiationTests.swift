import PrometheusExposition
import Testing

@Suite struct NegotiationTests {
  @Test(
    arguments: [
      (nil, .text004),
      ("", .text004),
      ("*/*", .text004),
      ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .text004),
      ("text/plain", .text004),
      ("application/json", .text004),
      ("application/openmetrics-text", .openMetrics100),
      ("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8", .openMetrics100),
      ("application/openmetrics-text; version=2.0.0", .text004),
      // Prometheus 2.42 and 3.
      (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics100
      ),
      (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          + "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", .openMetrics100
      ),
      // Weights decide before the order does.
      ("application/openmetrics-text;q=0.4, text/plain;q=0.5", .text004),
      ("text/plain;q=0.4, application/openmetrics-text;q=0.5", .openMetrics100),
      ("application/openmetrics-text;q=0.5, */*;q=0.9", .text004),
      (
        "application/openmetrics-text;version=0.0.1;q=0.2, application/openmetrics-text;q=0.9, text/plain;q=0.5",
        .openMetrics100
      ),
      // Equal weights: the more precise, then the first.
      ("*/*, application/openmetrics-text", .openMetrics100),
      ("text/plain, application/openmetrics-text", .text004),
      ("application/openmetrics-text, text/plain", .openMetrics100),
      ("application/*", .openMetrics100),
      // Zero means never.
      ("application/openmetrics-text;q=0", .text004),
      ("text/plain;q=0, */*", .openMetrics100),
      // Nonsense is passed over.
      ("application/openmetrics-text;q=5, ;;,=", .text004),
      ("application/openmetrics-text;q", .openMetrics100),
    ] as [(String?, ExpositionFormat)]
  )
  func format(accept: String?, expected: ExpositionFormat) {
    #expect(ExpositionFormat.negotiate(accept: accept) == expected)
  }

  @Test func contentTypes() {
    #expect(ExpositionFormat.text004.contentType == "text/plain; version=0.0.4; charset=utf-8")
    #expect(
      ExpositionFormat.openMetrics100.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    )
  }
}
