#pragma once
/// Errors are checked by their text: that something failed is not enough.

#include <gtest/gtest.h>

#include <string>

namespace halcyon::tests {

/// Fails unless `call` throws an `E` whose text contains all of `parts`.
template <typename E, typename Call, typename... Parts>
void expect_error(Call&& call, const Parts&... parts) {
  try {
    call();
  } catch (const E& error) {
    for (const std::string& part : {std::string(parts)...}) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "text: " << error.what() << "\nlacks: " << part;
    }
    return;
  }
  ADD_FAILURE() << "no error was thrown";
}

}  // namespace halcyon::tests
