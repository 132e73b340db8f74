#pragma once
/// One array in NumPy's file format, versions 1 to 3
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). A file is hostile
/// until proven otherwise: every length is checked before it is used, and nothing in it is run.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/weights.h"

namespace halcyon::runtime {

/// An array of numbers or truth values, in any byte order and in C or Fortran order; what comes
/// back is little endian and row-major, its dtype spelt as in safetensors, its name empty.
/// Errors: UserError naming the file for anything that is not one complete array, and for objects,
/// texts and structures; as read_file otherwise.
WeightTensor read_npy(const std::string& path);

/// The same from memory; `source` is what messages call it.
WeightTensor parse_npy(std::span<const std::byte> bytes, const std::string& source);

/// Floats in C order, format version 1; the data starts at a multiple of 64 bytes.
/// Errors: InternalError when the number of values does not fit the shape.
std::vector<std::byte> format_npy(std::span<const int64_t> shape, std::span<const float> values);

}  // namespace halcyon::runtime
