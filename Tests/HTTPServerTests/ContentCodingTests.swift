import Testing

@testable import HTTPServer

@Suite("Content coding")
struct ContentCodingTests {
  @Test(
    "weights of Accept-Encoding are respected",
    arguments: [
      (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("deflate, br", false), ("*", true),
      ("gzip;q=0", false), ("gzip; q=0.000, *", false), ("*;q=0", false), ("*;q=0, gzip;q=0.1", true),
      ("identity;q=1, gzip;Q=1.0", true), ("gzip;q=0.01", true), (" , ,gzip", true),
    ] as [(String?, Bool)]
  )
  func acceptEncoding(header: String?, isAccepted: Bool) {
    #expect(ContentCoding.acceptsGzip(header) == isAccepted)
  }
}
