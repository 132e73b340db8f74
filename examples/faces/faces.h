#pragma once
/// Faces in pictures, by a detector that somebody else trained: UltraFace RFB-320, an .onnx file.
/// The network gives scores and corners of 4420 boxes; what is done with them is here.
/// Source: https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB

#include <vector>

#include "runtime/data/picture.h"
#include "runtime/network.h"

namespace halcyon::examples {

/// In pixels of the picture; right and bottom lie behind the last one.
struct Face {
  float left = 0, top = 0, right = 0, bottom = 0;
  float score = 0;  ///< 0 to 1
};

/// Intersection of two boxes by their union.
float overlap(const Face& a, const Face& b);

/// The best of the boxes that show the same face: none that is left covers more than `most` of a
/// better one. Best first.
std::vector<Face> suppress(std::vector<Face> faces, float most);

/// Faces with a score of at least `least_score`, best first. The picture is stretched to what the
/// network takes. `network` is one of ultraface.onnx.
std::vector<Face> find_faces(runtime::Network& network, const runtime::Picture& picture,
                             float least_score = 0.7f);

/// Draws a frame around each face.
void draw_frames(runtime::Picture& picture, const std::vector<Face>& faces);

}  // namespace halcyon::examples
