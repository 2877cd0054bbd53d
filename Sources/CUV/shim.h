#pragma once

#include <uv.h>

/// Makes a loop measure how long it sleeps. Here because uv_loop_configure is variadic, which Swift can't call.
static inline int uv_loop_measure_idle_time(uv_loop_t *loop) {
  return uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
}
