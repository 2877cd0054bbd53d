#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <microhttpd.h>

/// Gives back the bytes as they came; MHD_OPTION_UNESCAPE_CALLBACK wants this shape.
typedef size_t (*multistore_mhd_unescape)(void *context, struct MHD_Connection *connection, char *text);

/// Starts a daemon on a socket that already listens and is not blocking.
///
/// MHD_start_daemon is variadic and therefore not importable into Swift; this is its only use, with fixed arguments.
/// The daemon owns `listen_socket` from here on: MHD closes it when it is stopped, and also when the start fails for
/// want of memory, threads or descriptors (src/microhttpd/daemon.c of 0.9.75).
/// MHD_USE_ITC: a stop wakes the thread through a descriptor of its own, on unix sockets as well.
/// MHD_OPTION_STRICT_FOR_CLIENT: HTTP/1.1 without a Host header and spaces in the path are refused.
static inline struct MHD_Daemon *multistore_mhd_start(
    int listen_socket, unsigned int connection_limit, unsigned int timeout_seconds,
    size_t connection_memory_bytes, MHD_AccessHandlerCallback handler, MHD_RequestCompletedCallback completed,
    multistore_mhd_unescape unescape, void *context) {
  return MHD_start_daemon(
      MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, handler, context,
      MHD_OPTION_LISTEN_SOCKET, listen_socket,
      MHD_OPTION_CONNECTION_LIMIT, connection_limit,
      MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory_bytes,
      MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
      MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
      MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_END);
}

/// How many connections a daemon has open; MHD_get_daemon_info is variadic as well.
static inline unsigned int multistore_mhd_open_connections(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info == NULL ? 0 : info->num_connections;
}
