/// The page at `/`: the program's name and version, and links to the other pages.
public struct LandingPage: Sendable {
  /// A link in the page's list.
  public struct Link: Sendable, Hashable {
    /// A path on this server, or an `http:` or `https:` URL.
    public let address: String
    /// The link's text.
    public let text: String
    /// The description of the link's target.
    public let description: String

    /// Creates a link.
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
  /// One sentence about the program.
  public let description: String
  /// The links, in their order.
  public var links: [Link]

  /// Creates a page; every text is escaped.
  public init(name: String, version: String, description: String, links: [Link] = []) {
    self.name = name
    self.version = version
    self.description = description
    self.links = links
  }

  /// Allows nothing to be loaded, framed, sent or run but the style sheet, by its SHA-256, which a test computes.
  static let contentSecurityPolicy = """
    default-src 'none'; style-src 'sha256-\(styleDigest)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """

  private static let styleDigest = "GQK7cHv4khx32d1uPgc6NVj2676/qawKbs0N4V9zGlI="

  private static let style = """
    :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
    body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
    small { opacity: 0.7; font-weight: normal; }
    """

  /// The page with its policy.
  public var page: HTMLDocument {
    HTMLDocument(html: html.markup, contentSecurityPolicy: Self.contentSecurityPolicy)
  }

  private var html: HTML {
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
