extension SidecarConfiguration {
  /// Reads and checks a configuration file, and the files that it refers to except that of the feature flags.
  ///
  /// All mistakes are reported, not only the first. It blocks on files and is for the start of the process.
  ///
  /// - Parameters:
  ///   - file: The path, as it is shown in problems.
  ///   - environment: Returns the value of `${NAME}`; nil for a variable that is not set.
  public static func load(
    file: String,
    environment: @escaping @Sendable (String) -> String? = ProcessEnvironment.value
  ) -> ConfigurationResult {
    do {
      let contents = try SmallFile.read(file, limitBytes: YAMLDocument.largestFileBytes)
      return parse(contents.bytes, file: file, environment: environment)
    } catch {
      let context = LoadContext(file: file, environment: environment)
      context.error(nil, "", "cannot be read: \(error)")
      return ConfigurationResult(configuration: nil, problems: context.problems)
    }
  }

  /// Reads the contents of a configuration file, like `load`.
  static func parse(
    _ bytes: [UInt8],
    file: String,
    environment: @escaping @Sendable (String) -> String?
  ) -> ConfigurationResult {
    let context = LoadContext(file: file, environment: environment)
    var configuration: SidecarConfiguration?
    do {
      if let root = try YAMLDocument.parse(bytes) {
        configuration = read(root, context: context)
      } else {
        context.error(nil, "", "is empty; expected at least one of instances: with name, listen and secondary")
      }
    } catch {
      context.error(error.position, "", error.message)
    }
    let hasErrors = context.problems.contains { !$0.isWarning }
    return ConfigurationResult(configuration: hasErrors ? nil : configuration, problems: context.sortedProblems)
  }

  private static func read(_ root: YAMLNode, context: LoadContext) -> SidecarConfiguration? {
    guard let reader = MappingReader(root, section: .top, path: "", context: context) else { return nil }
    var stores = StoreReader(definitions: reader.node("stores"), context: context)
    var drafts: [InstanceReader.Draft] = []
    for instance in reader.sections("instances") {
      drafts.append(InstanceReader.read(instance, stores: &stores))
    }
    stores.reportUnused()
    InstanceComparison(drafts: drafts, context: context).report()
    let admin = reader.section("admin")
    return SidecarConfiguration(
      instances: drafts.compactMap(\.configuration),
      featureFlagFile: reader.section("feature_flags")?.value("file")
        .map { context.resolve(path: $0.expanded) },
      stateDirectory: reader.value("state_directory").map { context.resolve(path: $0.expanded) },
      adminToken: admin.flatMap(token),
      adminTLS: admin?.section("tls").flatMap { ServerTLSReader(reader: $0).server() },
      logQueueLimitBytes: logQueueLimit(reader.section("log")),
      memoryLimitBytes: reader.optionalSize("memory_limit")
        ?? max(SettingSection.smallestMemoryLimit, SystemMemory.availableBytes() / 4),
      shutdownTimeout: reader.duration("shutdown_timeout")
    )
  }

  private static func token(_ reader: MappingReader) -> Secret? {
    reader.value("token_file").flatMap { value in
      reader.context.secret(inFile: value.expanded, at: value.position, key: reader.keyPath("token_file"))
    }
  }

  private static func logQueueLimit(_ reader: MappingReader?) -> Int {
    let key = "queue_limit"
    return reader?.size(key) ?? SettingSection.log.defaultSize(key)
  }
}
