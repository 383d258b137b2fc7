// Every refusal of a probe, a sample and what is asked of them, with its reason and the field that
// it names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "tests/server/rpc/refusal_fixture.h"

namespace facegate {
namespace {

TEST_F(RefusalTest, OfSourceDigests) {
  const auto digest = [this](const std::string& text) {
    return EnrollWith([text](auto& r) { r.mutable_samples(0)->set_source_digest(text); });
  };
  Check({
      {"no hexadecimal digits", digest("photo.jpg"), Reason::kInvalidField,
       "samples[0].source_digest"},
      {"upper case", digest("ABCD"), Reason::kInvalidField, "samples[0].source_digest"},
      {"65 digits", digest(std::string(65, 'a')), Reason::kInvalidField,
       "samples[0].source_digest"},
      {"not in Enroll", IdentifyWith([](auto& r) { r.mutable_probe()->set_source_digest("ab"); }),
       Reason::kInvalidField, "probe.source_digest"},
  });
}

TEST_F(RefusalTest, OfLabelsThatAreSearchedFor) {
  const auto label = [this](const std::string& key, const std::string& value) {
    return IdentifyWith([key, value](auto& r) { (*r.mutable_labels())[key] = value; });
  };
  const auto labels = [this](int count) {
    return IdentifyWith([count](auto& r) {
      for (int i = 0; i < count; ++i) (*r.mutable_labels())["k" + std::to_string(i)] = "v";
    });
  };
  EXPECT_THAT(labels(64)(), IsOk());
  Check({
      {"too many", labels(65), Reason::kInvalidField, "labels"},
      {"a key that is none", label("Floor", "2"), Reason::kInvalidField, "labels"},
      {"no key", label("", "2"), Reason::kInvalidField, "labels"},
      {"a long value", label("floor", std::string(257, 'v')), Reason::kInvalidField, "labels"},
      {"a control character", label("floor", "2\n"), Reason::kInvalidField, "labels"},
  });
}

TEST_F(RefusalTest, OfUniqueIdentitiesForOneFace) {
  const auto unique = [this](const v1::Probe& probe) {
    return IdentifyWith([probe](auto& r) {
      *r.mutable_probe() = probe;
      r.set_unique_identities(true);
    });
  };
  v1::Probe largest = Photo(1);
  largest.set_face_selection(v1::FACE_SELECTION_LARGEST);
  v1::Probe all = Photo(1);
  all.set_face_selection(v1::FACE_SELECTION_ALL);
  EXPECT_THAT(unique(all)(), IsOk());
  Check({
      {"no selection", unique(Photo(1)), Reason::kInvalidField, "unique_identities"},
      {"LARGEST", unique(largest), Reason::kInvalidField, "unique_identities"},
      {"a crop", unique(Crop(1)), Reason::kInvalidField, "unique_identities"},
      {"an embedding", unique(Vector(1)), Reason::kInvalidField, "unique_identities"},
  });
}

TEST_F(RefusalTest, OfProbesThatAreNone) {
  Check({
      {"verify: no probe", VerifyWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"identify: no probe", IdentifyWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"embed: no probe", EmbedWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"compare: no second", CompareWith([](auto& r) { r.clear_second(); }), Reason::kInvalidField,
       "second"},
      {"no source", VerifyWith([](auto& r) { r.mutable_probe()->clear_source(); }),
       Reason::kInvalidField, "probe"},
      {"sample without source", EnrollWith([](auto& r) { r.mutable_samples(0)->clear_source(); }),
       Reason::kInvalidField, "samples[0]"},
      {"embed of an embedding", EmbedWith([this](auto& r) { *r.mutable_probe() = Vector(1); }),
       Reason::kInvalidField, "probe.embedding"},
      {"embed of a template", EmbedWith([](auto& r) {
         *r.mutable_probe() = Stored("collections/people/identities/7/templates/1");
       }),
       Reason::kInvalidField, "probe.template_name"},
      {"enroll of a template", EnrollWith([](auto& r) {
         *r.mutable_samples(0) = Stored("collections/people/identities/7/templates/1");
       }),
       Reason::kInvalidField, "samples[0].template_name"},
  });
}

TEST_F(RefusalTest, OfSelections) {
  const auto select = [](v1::FaceSelection selection) {
    return [selection](auto& r) {
      *r.mutable_probe() = Photo(1);
      r.mutable_probe()->set_face_selection(selection);
    };
  };
  const auto box = [](float width, float height, float x = 0) {
    return [=](v1::DetectRequest& r) {
      r.set_face_selection(v1::FACE_SELECTION_BOX);
      r.mutable_box()->set_x(x);
      r.mutable_box()->set_width(width);
      r.mutable_box()->set_height(height);
    };
  };
  Check({
      {"verify: ALL", VerifyWith(select(v1::FACE_SELECTION_ALL)), Reason::kInvalidField,
       "probe.face_selection"},
      {"embed: ALL", EmbedWith(select(v1::FACE_SELECTION_ALL)), Reason::kInvalidField,
       "probe.face_selection"},
      {"enroll: ALL", EnrollWith([](auto& r) {
         *r.mutable_samples(0) = Photo(1);
         r.mutable_samples(0)->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kInvalidField, "samples[0].face_selection"},
      {"compare: ALL", CompareWith([](auto& r) {
         *r.mutable_first() = Photo(1);
         r.mutable_first()->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kInvalidField, "first.face_selection"},
      {"unknown number", VerifyWith(select(static_cast<v1::FaceSelection>(77))),
       Reason::kInvalidField, "probe.face_selection"},
      {"negative number", IdentifyWith(select(static_cast<v1::FaceSelection>(-1))),
       Reason::kInvalidField, "probe.face_selection"},
      {"detect: unknown number",
       DetectWith([](auto& r) { r.set_face_selection(static_cast<v1::FaceSelection>(6)); }),
       Reason::kInvalidField, "face_selection"},
      {"BOX without a box", VerifyWith(select(v1::FACE_SELECTION_BOX)), Reason::kInvalidField,
       "probe.box"},
      {"box without BOX", DetectWith([](auto& r) { r.mutable_box()->set_width(3); }),
       Reason::kInvalidField, "box"},
      {"flat box", DetectWith(box(10, 0)), Reason::kInvalidField, "box"},
      {"negative box", DetectWith(box(-10, 10)), Reason::kInvalidField, "box"},
      {"box of NaN", DetectWith(box(10, 10, kNan)), Reason::kInvalidField, "box"},
      {"infinite box", DetectWith(box(std::numeric_limits<float>::infinity(), 10)),
       Reason::kInvalidField, "box"},
      {"box beside all faces", DetectWith(box(10, 10, 5000)), Reason::kNoFace, "image"},
      {"selection of a crop", VerifyWith([](auto& r) {
         r.mutable_probe()->set_face_selection(v1::FACE_SELECTION_LARGEST);
       }),
       Reason::kInvalidField, "probe.face_selection"},
      {"box of a crop", VerifyWith([](auto& r) { r.mutable_probe()->mutable_box(); }),
       Reason::kInvalidField, "probe.box"},
  });
}

TEST_F(RefusalTest, OfImages) {
  const std::string large(200'001, 'x');
  Check({
      {"broken image", VerifyWith([](auto& r) { r.mutable_probe()->set_image("x"); }),
       Reason::kImageUndecodable, "probe.image"},
      {"empty image", DetectWith([](auto& r) { r.clear_image(); }), Reason::kImageUndecodable,
       "image"},
      {"broken crop", VerifyWith([](auto& r) { r.mutable_probe()->set_aligned_crop("x"); }),
       Reason::kImageUndecodable, "probe.aligned_crop"},
      {"large image", VerifyWith([&](auto& r) { r.mutable_probe()->set_image(large); }),
       Reason::kImageTooLarge, "probe.image"},
      {"large crop", IdentifyWith([&](auto& r) { r.mutable_probe()->set_aligned_crop(large); }),
       Reason::kImageTooLarge, "probe.aligned_crop"},
      {"large image: detect", DetectWith([&](auto& r) { r.set_image(large); }),
       Reason::kImageTooLarge, "image"},
      {"large image: the second sample",
       EnrollWith([&](auto& r) { r.add_samples()->set_image(large); }), Reason::kImageTooLarge,
       "samples[1].image"},
      {"many pixels",
       DetectWith([](auto& r) { r.set_image(EncodePng(cv::Mat::zeros(1001, 1000, CV_8UC3))); }),
       Reason::kImageTooLarge, "image"},
      {"crop of another size", VerifyWith([](auto& r) {
         *r.mutable_probe() = CropOf(PatternImage(1, {100, 100}));
       }),
       Reason::kCropSize, "probe.aligned_crop"},
  });
}

TEST_F(RefusalTest, OfPicturesByTheirFaces) {
  detector_.set_faces({FaceAt(0, 0), FaceAt(3, 3)});
  const auto photo = [](auto& r) { *r.mutable_samples(0) = Photo(1); };
  Check({{"two faces to enroll", EnrollWith(photo), Reason::kMultipleFaces, "samples[0].image"}});
  detector_.set_faces({});
  Check({
      {"no face to enroll", EnrollWith(photo), Reason::kNoFace, "samples[0].image"},
      {"no face to verify", VerifyWith([](auto& r) { *r.mutable_probe() = Photo(1); }),
       Reason::kNoFace, "probe.image"},
      {"no face of a group", IdentifyWith([](auto& r) {
         *r.mutable_probe() = Photo(1);
         r.mutable_probe()->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kNoFace, "probe.image"},
      {"no largest face",
       DetectWith([](auto& r) { r.set_face_selection(v1::FACE_SELECTION_LARGEST); }),
       Reason::kNoFace, "image"},
  });
}

TEST_F(RefusalTest, OfEmbeddings) {
  const auto spoilt = [this](std::function<void(v1::TaggedEmbedding&)> spoil) {
    return VerifyWith([this, spoil](auto& r) {
      *r.mutable_probe() = Vector(1);
      spoil(*r.mutable_probe()->mutable_embedding());
    });
  };
  Check({
      {"short", spoilt([](auto& e) { e.mutable_values()->RemoveLast(); }),
       Reason::kEmbeddingInvalid, "probe.embedding"},
      {"empty", spoilt([](auto& e) { e.clear_values(); }), Reason::kEmbeddingInvalid,
       "probe.embedding"},
      {"NaN", spoilt([](auto& e) { e.set_values(3, kNan); }), Reason::kEmbeddingInvalid,
       "probe.embedding"},
      {"all zero", spoilt([](auto& e) {
         for (float& value : *e.mutable_values()) value = 0;
       }),
       Reason::kEmbeddingInvalid, "probe.embedding"},
      {"no digest", spoilt([](auto& e) { e.clear_model_digest(); }), Reason::kInvalidField,
       "probe.embedding.model_digest"},
      {"upper-case digest", spoilt([](auto& e) { e.set_model_digest(std::string(64, 'A')); }),
       Reason::kInvalidField, "probe.embedding.model_digest"},
      {"short preprocessing digest", spoilt([](auto& e) { e.set_preprocessing_digest("00"); }),
       Reason::kInvalidField, "probe.embedding.preprocessing_digest"},
      {"another model", spoilt([](auto& e) { e.set_model_digest(std::string(64, '0')); }),
       Reason::kModelMismatch, "probe.embedding"},
      {"another preprocessing",
       spoilt([](auto& e) { e.set_preprocessing_digest(std::string(64, '0')); }),
       Reason::kModelMismatch, "probe.embedding"},
  });
}

TEST_F(RefusalTest, OfStoredTemplates) {
  const auto stored = [this](const std::string& name) {
    return VerifyWith([name](auto& r) { *r.mutable_probe() = Stored(name); });
  };
  Check({
      {"no name", stored("x"), Reason::kInvalidField, "probe.template_name"},
      {"id 0", stored("collections/people/identities/7/templates/0"), Reason::kInvalidField,
       "probe.template_name"},
      {"unknown collection", stored("collections/nowhere/identities/7/templates/1"),
       Reason::kCollectionNotFound, "probe.template_name"},
      {"unknown identity", stored("collections/people/identities/nobody/templates/1"),
       Reason::kIdentityNotFound, "probe.template_name"},
      {"unknown template", stored("collections/people/identities/7/templates/999"),
       Reason::kTemplateNotFound, "probe.template_name"},
      {"another model", stored("collections/other-model/identities/7/templates/1"),
       Reason::kModelMismatch, "probe.template_name"},
  });
}

TEST_F(RefusalTest, OfOperatingPoints) {
  const auto at = [](float min_cosine) {
    return [min_cosine](auto& r) { r.mutable_operating_point()->set_min_cosine(min_cosine); };
  };
  Check({
      {"above 1", VerifyWith(at(1.001f)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"below -1", IdentifyWith(at(-1.001f)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"NaN", CompareWith(at(kNan)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"no point", VerifyWith([](auto& r) { r.mutable_operating_point(); }), Reason::kInvalidField,
       "operating_point"},
      {"probe_quality above 1", CompareWith([](auto& r) { r.set_probe_quality(1.01f); }),
       Reason::kInvalidField, "probe_quality"},
      {"probe_quality NaN", CompareWith([](auto& r) { r.set_probe_quality(kNan); }),
       Reason::kInvalidField, "probe_quality"},
      {"none for compare", CompareWith([](auto& r) { r.clear_operating_point(); }),
       Reason::kNoOperatingPoint, ""},
      {"none for identify", IdentifyWith([](auto& r) { r.set_collection_id("no-threshold"); }),
       Reason::kNoOperatingPoint, ""},
  });
}

}  // namespace
}  // namespace facegate
