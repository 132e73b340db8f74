#include "compiler/schedules/space.h"

#include <algorithm>

namespace halcyon::compiler {

std::string why_illegal(const Space& space, const Choice& choice) {
  if (choice == space.standard) return {};
  Choice rest = choice;
  for (const Parameter& parameter : space.parameters) {
    const int64_t value = choice.*parameter.member;
    const std::vector<int64_t>& values = parameter.values;
    if (std::find(values.begin(), values.end(), value) == values.end() &&
        value != space.standard.*parameter.member) {
      return "no value to choose among: " + to_string(choice);
    }
    rest.*parameter.member = space.standard.*parameter.member;
  }
  if (rest != space.standard) return "a number that cannot be chosen: " + to_string(choice);
  return space.refuse ? space.refuse(choice) : std::string();
}

Choice random_choice(const Space& space, std::mt19937_64& random) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    Choice choice = space.standard;
    for (const Parameter& parameter : space.parameters) {
      if (parameter.values.empty()) continue;
      choice.*parameter.member = parameter.values[random() % parameter.values.size()];
    }
    if (why_illegal(space, choice).empty()) return choice;
  }
  return space.standard;
}

std::vector<int64_t> powers_of_two(int64_t most) {
  std::vector<int64_t> list;
  for (int64_t value = 1; value < most; value *= 2) list.push_back(value);
  list.push_back(std::max<int64_t>(most, 1));
  return list;
}

std::vector<int64_t> numbers(int64_t least, int64_t most) {
  std::vector<int64_t> list;
  for (int64_t value = least; value <= most; ++value) list.push_back(value);
  return list;
}

}  // namespace halcyon::compiler
