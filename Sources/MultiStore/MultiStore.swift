// MultiStore
