/// Finds the faces in pictures and draws frames around them:
///
///   faces photo.jpg party.png        writes photo.faces.png and party.faces.png
///
/// The network comes from an .onnx file that was downloaded: CMakeLists.txt compiles it into a
/// library, whose functions this program calls. Nothing of ONNX is left in it.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/faces/faces.h"
#include "runtime/data/read_picture.h"
#include "ultraface.h"  // generated: ultraface_network()

int main(int argc, char** argv) try {
  using namespace halcyon;
  if (argc < 2) {
    std::fprintf(stderr, "usage: faces PICTURE...\n");
    return 2;
  }
  runtime::Network network(*ultraface_network());  // with its weights, which are linked in
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    runtime::Picture picture = runtime::read_picture(path.string());
    const std::vector<examples::Face> faces = examples::find_faces(network, picture);
    for (const examples::Face& face : faces) {
      std::printf("%s: %.0f,%.0f to %.0f,%.0f (%.2f)\n", path.filename().c_str(),
                  static_cast<double>(face.left), static_cast<double>(face.top),
                  static_cast<double>(face.right), static_cast<double>(face.bottom),
                  static_cast<double>(face.score));
    }
    examples::draw_frames(picture, faces);
    const std::string drawn = path.stem().string() + ".faces.png";
    runtime::write_png(drawn, picture);
    std::printf("%s: %zu faces\n", drawn.c_str(), faces.size());
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
