/// The page at `/`, for people who type the address into a browser.
public struct LandingPage: Sendable {
  /// A link in the page's list.
  public struct Link: Sendable, Hashable {
    /// A path here, or a whole `http:` or `https:` address.
    public let address: String
    /// What is to be clicked on.
    public let text: String
    /// What there is to see.
    public let description: String

    /// A link.
    public init(address: String, text: String, description: String) {
      self.address = address
      self.text = text
      self.description = description
    }
  }

  /// The program's name.
  public let name: String
  /// The program's version.
  public let version: String
  /// One sentence about what it does.
  public let description: String
  /// Links below the ones to the server's own pages.
  public let links: [Link]

  /// A page; every text is escaped.
  public init(name: String, version: String, description: String, links: [Link] = []) {
    self.name = name
    self.version = version
    self.description = description
    self.links = links
  }

  /// Nothing may be loaded, framed, sent or run; the one style sheet is known by its SHA-256, which a test computes.
  static let contentSecurityPolicy = """
    default-src 'none'; style-src 'sha256-\(styleDigest)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """

  private static let styleDigest = "GQK7cHv4khx32d1uPgc6NVj2676/qawKbs0N4V9zGlI="

  private static let style = """
    :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
    body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
    small { opacity: 0.7; font-weight: normal; }
    """

  func response(links ownLinks: [Link]) -> HTTPResponse {
    .html(page(links: ownLinks + links).markup).adding("Content-Security-Policy", Self.contentSecurityPolicy)
  }

  private func page(links: [Link]) -> HTML {
    let items = links.map { link -> HTML in
      """
      <li><a href="\(Self.isSafe(link.address) ? link.address : "/")">\(link.text)</a>: \(link.description)</li>

      """
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(name)</title>
      <style>\(HTML(stringLiteral: Self.style))</style>
      </head>
      <body>
      <h1>\(name) <small>\(version)</small></h1>
      <p>\(description)</p>
      <ul>
      \(items)</ul>
      </body>
      </html>

      """
  }

  private static func isSafe(_ address: String) -> Bool {
    address.hasPrefix("/") || address.hasPrefix("https://") || address.hasPrefix("http://")
  }
}
