#include "compiler/onnx/array.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;
using tests::expect_error;

TensorProto tensor_of(int type, const Dims& dims) {
  TensorProto tensor;
  tensor.set_name("t");
  tensor.set_data_type(type);
  for (int64_t extent : dims) tensor.add_dims(extent);
  return tensor;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(Array, ReadsRawAndTypedNumbers) {
  TensorProto raw = tensor_of(TensorProto::FLOAT, {2});
  raw.set_raw_data(bytes_of<float>({1.5f, -2}));
  EXPECT_EQ(read_array(raw, ".").reals(), (std::vector<float>{1.5f, -2}));
  TensorProto typed = tensor_of(TensorProto::DOUBLE, {1, 2});
  typed.add_double_data(0.25);
  typed.add_double_data(3);
  EXPECT_EQ(read_array(typed, ".").reals(), (std::vector<float>{0.25f, 3}));
  TensorProto bytes = tensor_of(TensorProto::INT8, {2});
  bytes.set_raw_data(bytes_of<int8_t>({-1, 7}));
  EXPECT_EQ(read_array(bytes, ".").integers(), (std::vector<int64_t>{-1, 7}));
  TensorProto scalar = tensor_of(TensorProto::INT64, {});
  scalar.add_int64_data(-5);
  EXPECT_EQ(read_array(scalar, ".").integers(), std::vector<int64_t>{-5});
}

TEST(Array, ConvertsHalfPrecision) {
  TensorProto half = tensor_of(TensorProto::FLOAT16, {6});
  // 1, -2, the largest, the least above zero, the least normal, -0
  half.set_raw_data(bytes_of<uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000}));
  const std::vector<float> expected = {1, -2, 65504, 0x1p-24f, 0x1p-14f, -0.0f};
  const Array found = read_array(half, ".");
  EXPECT_EQ(std::memcmp(found.reals().data(), expected.data(), 24), 0);
  TensorProto typed = tensor_of(TensorProto::FLOAT16, {1});
  typed.add_int32_data(0x3c00);
  EXPECT_EQ(read_array(typed, ".").reals(), std::vector<float>{1});
  TensorProto brain = tensor_of(TensorProto::BFLOAT16, {2});
  brain.set_raw_data(bytes_of<uint16_t>({0x3f80, 0xc000}));
  EXPECT_EQ(read_array(brain, ".").reals(), (std::vector<float>{1, -2}));
}

TEST(Array, RefusesTextsAndUnknownTypes) {
  expect_error<UserError>([] { read_array(tensor_of(TensorProto::STRING, {1}), "."); },
                          "tensor 't' is of type string");
  expect_error<UserError>([] { read_array(tensor_of(77, {1}), "."); }, "is of type number 77");
}

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_.file("model"));
    std::ofstream(folder_.file("model/w.bin"), std::ios::binary)
        << bytes_of<float>({1, 2, 3, 4, 5, 6});
    std::ofstream(folder_.file("secret.bin"), std::ios::binary) << bytes_of<float>({1, 2, 3, 4});
  }
  static TensorProto external(const std::string& location,
                              const std::map<std::string, std::string>& more = {}) {
    TensorProto tensor = tensor_of(TensorProto::FLOAT, {2, 2});
    tensor.set_data_location(TensorProto::EXTERNAL);
    const auto add = [&](const std::string& key, const std::string& value) {
      onnx::StringStringEntryProto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    for (const auto& [key, value] : more) add(key, value);
    return tensor;
  }
  Array read(const TensorProto& tensor) { return read_array(tensor, folder_.file("model")); }
  void expect_refused(const TensorProto& tensor, const std::string& text) {
    expect_error<UserError>([&] { read(tensor); }, text);
  }
  tests::TemporaryFolder folder_;
};

TEST_F(ExternalData, IsReadFromItsPlace) {
  EXPECT_EQ(read(external("w.bin")).reals(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(read(external("./w.bin", {{"offset", "8"}, {"length", "16"}})).reals(),
            (std::vector<float>{3, 4, 5, 6}));
}

TEST_F(ExternalData, StaysInTheFolderOfTheModel) {
  expect_refused(external("../secret.bin"), "its external data lies at '../secret.bin'");
  expect_refused(external(folder_.file("secret.bin")), "its external data lies at");
  expect_refused(external(""), "its external data lies at ''");
  fs::create_symlink(folder_.file("secret.bin"), folder_.file("model/link"));
  expect_refused(external("link"), "is a link to another folder");
  fs::create_directory_symlink(folder_.file(""), folder_.file("model/up"));
  expect_refused(external("up/secret.bin"), "is a link to another folder");
  expect_refused(external("nothing.bin"), "is not there or no file");
  expect_refused(external("."), "is not there or no file");
}

TEST_F(ExternalData, HasTheLengthThatItsShapeNeeds) {
  expect_refused(external("w.bin", {{"offset", "12"}}), "has 24 bytes, 16 are needed from 12 on");
  expect_refused(external("w.bin", {{"length", "20"}}), "is said to have 20 bytes");
  expect_refused(external("w.bin", {{"offset", "-4"}}), "is no number of bytes");
  expect_refused(external("w.bin", {{"offset", "99999999999999999999"}}), "is no number of bytes");
  TensorProto large = external("w.bin");
  large.set_dims(0, 1 << 28);
  expect_refused(large, "are needed from 0 on");
}

}  // namespace
}  // namespace halcyon::compiler
