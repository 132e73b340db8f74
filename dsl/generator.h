#pragma once
/// How a network file reaches the compiler. HALCYON_NETWORK(f) checks f() in a constant expression,
/// so that a mistake is an error of the C++ compiler. `halcyon compile` builds the same file with
/// HALCYON_GENERATOR defined: then a main() prints the graph as text, and a mistake is the message
/// of the shape rule, with the node, the line and the arithmetic.

#include "dsl/network.h"

#ifdef HALCYON_GENERATOR

#include <exception>
#include <iostream>

#include "dsl/print.h"

namespace halcyon::dsl {

inline int print_network(const Network& net) {
  print(net.graph(), std::cout);
  std::cout.flush();
  return std::cout ? 0 : 1;
}

}  // namespace halcyon::dsl

#define HALCYON_NETWORK(function)                     \
  int main() {                                        \
    try {                                             \
      return halcyon::dsl::print_network(function()); \
    } catch (const std::exception& e) {               \
      std::cerr << "error: " << e.what() << "\n";     \
      return 1;                                       \
    }                                                 \
  }                                                   \
  static_assert(true, "a semicolon may follow")

#else

#define HALCYON_NETWORK(function) static_assert(function().graph().node_count() > 0)

#endif
