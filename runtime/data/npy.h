#pragma once
/// One array in NumPy's file format, versions 1 to 3
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). A file is hostile
/// until proven otherwise: every length is checked before it is used, and nothing in it is run.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/tensor.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// An array of numbers or truth values, in any byte order and in C or Fortran order, as floats.
/// Errors: UserError naming the file for anything that is not one complete array, and for objects,
/// texts and structures; as to_tensor and read_file otherwise.
Tensor read_npy(const std::string& path);

/// From memory, as it is: little endian and row-major, the dtype spelt as in safetensors, the name
/// empty. `source` is what messages call it.
WeightTensor parse_npy(std::span<const std::byte> bytes, const std::string& source);

/// In C order, format version 1; the data starts at a multiple of 64 bytes.
std::vector<std::byte> format_npy(const Tensor& tensor);

/// The same into a file.   Errors: as write_file_atomically.
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace halcyon::runtime
