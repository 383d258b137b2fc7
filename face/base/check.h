#pragma once

#include <cstdio>
#include <cstdlib>

// FACEGATE_CHECK is for bugs only: bytes from the network, a disk or a model file never trip it.
#define FACEGATE_CHECK(condition)                                                        \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
