#pragma once
/// Reads NumPy's .npy files as far as the benchmarks need them: little-endian float32 or int32,
/// row-major. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include <cstdint>
#include <string>
#include <vector>

namespace halcyon::benchmarks {

template <class T>
struct Array {
  std::vector<int64_t> shape;
  std::vector<T> values;
};

/// T is float or int32_t. Errors: UserError naming the file when it holds anything else or has
/// another length than its shape says; as runtime::read_file.
template <class T>
Array<T> read_npy(const std::string& path);

}  // namespace halcyon::benchmarks
