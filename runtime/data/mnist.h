#pragma once
/// Reads data sets in MNIST's IDX format, plain or gzip-compressed (also Fashion-MNIST, EMNIST).
/// The files are treated as hostile: nothing is allocated that the file's own size cannot account
/// for, and every byte must be accounted for. Source: http://yann.lecun.com/exdb/mnist (file format
/// at the end of the page); RFC 1952 for gzip.

#include <cstdint>
#include <string>

#include "runtime/dataset.h"

namespace halcyon::runtime {

/// A data set in two parts that share nothing: one to learn from, one to be judged by.
struct TrainTest {
  Dataset train, test;
};

/// The data set of a file of pictures (magic 0x00000803) and one of labels (0x00000801); channels
/// is 1. Errors: UserError naming the file for a wrong magic number, sizes that do not fit, missing
/// or surplus bytes, broken compression, a label that is not below `classes`; as read_file.
Dataset read_idx(const std::string& images_path, const std::string& labels_path,
                 const std::string& name, int64_t classes = 10);

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte from a folder, each plain or with .gz, the first hyphen of "-idx"
/// possibly a dot. Mean 0.1307, deviation 0.3081. Errors: UserError naming the file that is
/// missing; as read_idx.
TrainTest load_mnist(const std::string& folder);

}  // namespace halcyon::runtime
