#pragma once

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/// Frees memory that GnuTLS has allocated for its caller. Here because Swift imports gnutls_free as a mutable variable.
static inline void multistore_gnutls_free(void *memory) { gnutls_free(memory); }
