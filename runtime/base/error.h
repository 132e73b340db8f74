#pragma once
/// Errors, typed by whose mistake they are. Text: what, where, found versus expected; then a hint.
/// Messages are lower case and have no final stop; the program that prints them puts "error: " in
/// front.

#include <stdexcept>
#include <string>

namespace halcyon {

/// Base of everything Halcyon throws. `what()` holds the message and, on a second line, the hint.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, const std::string& hint = {})
      : std::runtime_error(hint.empty() ? message : message + "\n  hint: " + hint) {}
};

/// The user's mistake: a wrong shape, a bad file, an unknown option. Exit status 1.
class UserError : public Error {
  using Error::Error;
};

/// The machine's: a file that cannot be written, memory, a missing program. Exit status 1.
class SystemError : public Error {
  using Error::Error;
};

/// Our own bug. Exit status 3; asks for a report.
class InternalError : public Error {
  using Error::Error;
};

}  // namespace halcyon
