/// JPEG, by libjpeg. It reports errors through a jump, so the function that jumps owns nothing that
/// would have to be destroyed: its buffers belong to the caller.

#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it, and does not include it
#include <limits>
// Behind <cstdio>.
#include <jpeglib.h>

#include "runtime/base/error.h"
#include "runtime/data/read_picture.h"

namespace halcyon::runtime {
namespace {

struct Decoder {
  jpeg_error_mgr errors = {};  // first: libjpeg hands back a pointer to it
  jpeg_decompress_struct jpeg = {};
  std::jmp_buf on_error = {};
  std::array<char, JMSG_LENGTH_MAX> message = {};
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* const decoder = reinterpret_cast<Decoder*>(info->err);
  info->err->format_message(info, decoder->message.data());
  std::longjmp(decoder->on_error, 1);
}

/// A file that is damaged or cut off still gives a picture, of which a part is made up: an error
/// here.
void refuse_warnings(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

bool begin(Decoder& decoder, std::span<const std::byte> bytes) {
  if (setjmp(decoder.on_error) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  jpeg_mem_src(&decoder.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.jpeg, TRUE);
  decoder.jpeg.out_color_space = JCS_RGB;
  return true;
}

bool decode(Decoder& decoder, uint8_t* rgb) {
  if (setjmp(decoder.on_error) != 0) return false;
  jpeg_start_decompress(&decoder.jpeg);
  while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
    JSAMPROW row = rgb + std::size_t{3} * decoder.jpeg.output_scanline * decoder.jpeg.output_width;
    jpeg_read_scanlines(&decoder.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&decoder.jpeg);
  return true;
}

}  // namespace

Picture detail::decode_jpeg(std::span<const std::byte> bytes, const std::string& source) {
  Decoder decoder;
  struct Free {
    jpeg_decompress_struct& jpeg;
    ~Free() { jpeg_destroy_decompress(&jpeg); }
  } const cleanup{decoder.jpeg};
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = leave;
  decoder.errors.emit_message = refuse_warnings;
  const auto fail = [&] {
    throw UserError("picture '" + source + "' is no complete JPEG file: " + decoder.message.data());
  };
  if (!begin(decoder, bytes)) fail();
  check_picture_extents(decoder.jpeg.image_height, decoder.jpeg.image_width, source);
  Picture picture{decoder.jpeg.image_height, decoder.jpeg.image_width, {}};
  picture.rgb.resize(static_cast<std::size_t>(3 * picture.height * picture.width));
  if (!decode(decoder, picture.rgb.data())) fail();
  return picture;
}

}  // namespace halcyon::runtime
