#include "runtime/data/mnist.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::runtime {
namespace {

constexpr uint64_t kLimitBytes = uint64_t{1}
                                 << 30;  // of a file, packed or not; MNIST's largest is 47 MB
constexpr uint64_t kMostPerByte = 1032;  // deflate cannot expand a byte to more

constexpr const char* kHint =
    "the four MNIST files are train-images-idx3-ubyte, train-labels-idx1-ubyte, "
    "t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte, plain or .gz; fetch this one again";

[[noreturn]] void fail(const std::string& path, const std::string& what,
                       const std::string& hint = kHint) {
  throw UserError("'" + path + "': " + what, hint);
}

std::string hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(value));
  return text;
}

/// The bytes of a file one after the other, decompressed on the way if it is gzip.
class Source {
 public:
  explicit Source(const std::string& path) : path_(path), bytes_(read_file(path, kLimitBytes)) {
    packed_ = bytes_.size() >= 2 && bytes_[0] == std::byte{0x1f} && bytes_[1] == std::byte{0x8b};
    if (!packed_) return;
    stream_.next_in = reinterpret_cast<Bytef*>(bytes_.data());
    stream_.avail_in = static_cast<uInt>(bytes_.size());
    // 15: the largest window; 16: a gzip header, whose checksum zlib verifies at the end.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK)
      throw SystemError("'" + path + "': zlib cannot start");
  }
  ~Source() {
    if (packed_) inflateEnd(&stream_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& path() const { return path_; }
  /// What the rest of the file can hold at most.
  uint64_t at_most() const { return packed_ ? bytes_.size() * kMostPerByte : bytes_.size(); }

  /// Fills `to`; false if the file ends before.
  bool read(std::span<uint8_t> to) {
    if (packed_) return inflate_into(to) == to.size();
    if (bytes_.size() - position_ < to.size()) {
      position_ = bytes_.size();
      return false;
    }
    std::memcpy(to.data(), bytes_.data() + position_, to.size());
    position_ += to.size();
    return true;
  }

  /// Errors: UserError if anything is left, or the checksum is wrong.
  void expect_end() {
    uint8_t extra = 0;
    if (!packed_) {
      if (position_ < bytes_.size())
        fail(path_, std::to_string(bytes_.size()) + " bytes, its header accounts for " +
                        std::to_string(position_) + ": " +
                        std::to_string(bytes_.size() - position_) + " surplus bytes at the end");
    } else if (inflate_into({&extra, 1}) > 0) {
      fail(path_, "more bytes after decompression than the " +
                      std::to_string(stream_.total_out - 1) + " its header accounts for");
    } else if (stream_.avail_in > 0) {
      fail(path_, std::to_string(stream_.avail_in) + " surplus bytes after the compressed data");
    }
  }

 private:
  size_t inflate_into(std::span<uint8_t> to) {
    if (ended_) return 0;
    stream_.next_out = to.data();
    stream_.avail_out = static_cast<uInt>(to.size());
    while (stream_.avail_out > 0) {
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        ended_ = true;
        break;
      }
      if (status == Z_MEM_ERROR) throw SystemError("'" + path_ + "': no memory to decompress");
      if (status == Z_BUF_ERROR ||
          (status == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0))
        fail(path_, "truncated: the compressed data stops after " + std::to_string(bytes_.size()) +
                        " bytes, in the middle");
      if (status != Z_OK)
        fail(path_, "broken compression after " + std::to_string(stream_.total_out) + " bytes (" +
                        (stream_.msg != nullptr ? stream_.msg : "no gzip data") + ")");
    }
    return to.size() - stream_.avail_out;
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  size_t position_ = 0;
  bool packed_ = false, ended_ = false;
  z_stream stream_{};
};

struct Idx {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;
};

/// Reads a file of unsigned bytes with `rank` extents; `what` names its things in messages.
Idx read_file_of_bytes(const std::string& path, uint32_t rank, const char* what) {
  Source source(path);
  const uint32_t magic_expected = 0x800 + rank;
  std::array<uint8_t, 16> header{};
  const std::span<uint8_t> head(header.data(), 4 + 4 * rank);
  const auto number = [&](size_t at) {
    return uint32_t{header[at]} << 24 | uint32_t{header[at + 1]} << 16 |
           uint32_t{header[at + 2]} << 8 | uint32_t{header[at + 3]};
  };
  if (!source.read(head.first(4)))
    fail(path, "truncated: an IDX file of " + std::string(what) + " starts with " +
                   std::to_string(head.size()) + " bytes");
  if (number(0) != magic_expected)
    fail(path, "no IDX file of " + std::string(what) + ": magic number " + hex(number(0)) +
                   ", expected " + hex(magic_expected));
  if (!source.read(head.subspan(4)))
    fail(path, "truncated: an IDX file of " + std::string(what) + " starts with " +
                   std::to_string(head.size()) + " bytes");

  Idx idx;
  uint64_t bytes = 1;
  std::string text;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    const uint64_t extent = number(4 + 4 * axis);
    if (axis > 0) text += "x";
    text += std::to_string(extent);
    // Extents of pictures end at 2^14, so that no product of three overflows.
    if (extent == 0 || (axis > 0 && extent > (1u << 14)))
      fail(path, "the header says " + std::string(what) + " of extents " + text + ", extent " +
                     std::to_string(axis) + " must be 1 to " + (axis > 0 ? "16384" : "4294967295"));
    idx.shape.push_back(static_cast<int64_t>(extent));
    bytes *= extent;
  }
  const std::string expected =
      "the header says " + text + ", that is " + std::to_string(bytes) + " bytes";
  if (bytes > kLimitBytes) fail(path, expected + ", the limit is " + std::to_string(kLimitBytes));
  // Before the memory is taken: a header that lies must not cost more than its file.
  if (bytes > source.at_most()) fail(path, "truncated: " + expected + ", the file holds fewer");
  idx.values.resize(static_cast<size_t>(bytes));
  if (!source.read(idx.values)) fail(path, "truncated: " + expected + ", the file holds fewer");
  source.expect_end();
  return idx;
}

std::string find(const std::filesystem::path& folder, const std::string& stem,
                 const std::string& kind) {
  for (const char* joint : {"-", "."})
    for (const char* ending : {"", ".gz"}) {
      const std::filesystem::path path = folder / (stem + joint + kind + ending);
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) return path.string();
    }
  throw UserError("no file '" + stem + "-" + kind + "' (plain or .gz) in '" + folder.string() + "'",
                  "an MNIST folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte, "
                  "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte");
}

}  // namespace

Dataset read_idx(const std::string& images_path, const std::string& labels_path,
                 const std::string& name, int64_t classes) {
  Idx images = read_file_of_bytes(images_path, 3, "pictures");
  const Idx labels = read_file_of_bytes(labels_path, 1, "labels");
  if (labels.shape[0] != images.shape[0])
    fail(labels_path,
         std::to_string(labels.shape[0]) + " labels, '" + images_path + "' has " +
             std::to_string(images.shape[0]) + " pictures",
         "the two files must belong together: train with train, t10k with t10k");
  const auto wrong = std::find_if(labels.values.begin(), labels.values.end(),
                                  [&](uint8_t label) { return label >= classes; });
  if (wrong != labels.values.end())
    fail(labels_path, "label " + std::to_string(*wrong) + " of picture " +
                          std::to_string(wrong - labels.values.begin()) + ", labels must be 0 to " +
                          std::to_string(classes - 1));
  return Dataset(name, {images.shape[1], images.shape[2], 1}, classes, std::move(images.values),
                 std::vector<int32_t>(labels.values.begin(), labels.values.end()));
}

TrainTest load_mnist(const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw UserError("no folder '" + folder + "'",
                    "give the folder that holds the four MNIST files");
  // All four are looked for before the first is read, which takes a while.
  const std::string train_images = find(folder, "train-images", "idx3-ubyte");
  const std::string train_labels = find(folder, "train-labels", "idx1-ubyte");
  const std::string test_images = find(folder, "t10k-images", "idx3-ubyte");
  const std::string test_labels = find(folder, "t10k-labels", "idx1-ubyte");
  TrainTest mnist{read_idx(train_images, train_labels, "mnist train"),
                  read_idx(test_images, test_labels, "mnist test")};
  if (mnist.train.shape() != mnist.test.shape())
    fail(test_images, "pictures of " + to_text(mnist.test.shape()) + ", '" + train_images +
                          "' has " + to_text(mnist.train.shape()));
  for (Dataset* part : {&mnist.train, &mnist.test}) part->set_normalization({{0.1307f}, {0.3081f}});
  return mnist;
}

}  // namespace halcyon::runtime
