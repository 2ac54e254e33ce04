"""Layouts of folders, made to shape from public descriptions, and what each file in them is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A refusal, and labels that one of its readings must have."""

    labels: tuple[str, ...]


FOLDERS = {
    # Kaggle: grassknoted/asl-alphabet, 87,000 pictures, 28 test pictures.
    "asl-alphabet": (
        "images",
        {
            "asl_alphabet_train/asl_alphabet_train/A/A{1..3}.jpg": ("A", "", "train"),
            "asl_alphabet_train/asl_alphabet_train/nothing/nothing{1..3}.jpg": (
                "nothing",
                "",
                "train",
            ),
            "asl_alphabet_train/asl_alphabet_train/space/space{1..3}.jpg": ("space", "", "train"),
            "asl_alphabet_test/asl_alphabet_test/A_test.jpg": ("A", "", "test"),
            "asl_alphabet_test/asl_alphabet_test/nothing_test.jpg": ("nothing", "", "test"),
        },
    ),
    # Kaggle: gti-upm/leapgestrecog, twice in the archive's own folder.
    "leapgestrecog": (
        "images",
        {
            "leapGestRecog/00/01_palm/frame_00_01_{0001..0006}.png": ("palm", "00", ""),
            "leapGestRecog/00/02_l/frame_00_02_{0001..0006}.png": ("l", "00", ""),
            "leapGestRecog/01/01_palm/frame_01_01_{0001..0006}.png": ("palm", "01", ""),
            "leapGestRecog/01/02_l/frame_01_02_{0001..0006}.png": ("l", "01", ""),
        },
    ),
    # The same archive as Kaggle serves it, with a copy of itself in small letters.
    "leapgestrecog-twice": (
        "images",
        {
            f"{top}leapGestRecog/{who}/{n}_{name}/frame_{who}_{n}_{{0001..0006}}.png": (
                name,
                who,
                "",
            )
            for top in ("", "leapgestrecog/")
            for who in ("00", "01")
            for n, name in (("01", "palm"), ("02", "l"))
        },
    ),
    "numbered-photos-in-one-folder": (
        "images",
        {"my_signs/fist/{1..6}.jpg": "fist", "my_signs/palm/{1..6}.jpg": "palm"},
    ),
    "one-person-of-leapgestrecog": (
        "images",
        {
            "00/01_palm/frame_00_01_{0001..0006}.png": "palm",
            "00/02_l/frame_00_02_{0001..0006}.png": "l",
        },
    ),
    "a-project-around-the-data": (
        "images",
        {
            "data/train/fist/{1..3}.jpg": ("fist", "", "train"),
            "data/train/palm/{1..3}.jpg": ("palm", "", "train"),
            "data/test/palm/{1..3}.jpg": ("palm", "", "test"),
            "website/logo.png": None,
            "docs/img/a.png": None,
        },
    ),
    "two-sets-side-by-side": (
        "images",
        {
            "letters/A/{1..3}.jpg": Asked(("1", "2", "A", "B")),
            "letters/B/{1..3}.jpg": "",
            "numbers/1/{1..3}.jpg": "",
            "numbers/2/{1..3}.jpg": "",
        },
    ),
    "a-set-in-a-container-and-one-beside-it": (
        "images",
        {
            "alphabet/A/{1..3}.jpg": Asked(("1", "2", "A", "B")),
            "alphabet/B/{1..3}.jpg": "",
            "digits/1/{1..3}.jpg": "",
            "digits/2/{1..3}.jpg": "",
        },
    ),
    "two-tests": (
        "images",
        {
            "train/A/{1..3}.jpg": ("A", "", "train"),
            "train/B/{1..3}.jpg": ("B", "", "train"),
            "test_seen/A/{1..3}.jpg": ("A", "", "test"),
            "test_unseen/B/{1..3}.jpg": ("B", "", "test"),
        },
    ),
    "spelled-in-two-ways": (
        "images",
        {"Thumbs_up/{1..3}.jpg": Asked(()), "thumbs up/{1..3}.jpg": "", "fist/{1..3}.jpg": ""},
    ),
    "other-capitals": (
        "images",
        {"OK/{1..3}.jpg": Asked(()), "ok/{1..3}.jpg": "", "fist/{1..3}.jpg": ""},
    ),
    "blanks-behind-names": (
        "images",
        {"thumbs up /{1..3}.jpg": "thumbs up", "fist/{1..3}.jpg": "fist"},
    ),
    "documents-beside-gestures": (
        "images",
        {"data/fist/{1..3}.jpg": Asked(()), "data/palm/{1..3}.jpg": "", "docs/logo.png": ""},
    ),
    # Kaggle: ardamavi/sign-language-digits-dataset.
    "sign-language-digits": (
        "images",
        {"Dataset/0/IMG_{1118..1123}.JPG": "0", "Dataset/9/IMG_{1120..1124}.JPG": "9"},
    ),
    # Kaggle: ayuraj/asl-dataset: the same folder again, in itself.
    "asl-dataset": (
        "images",
        {
            "asl_dataset/0/hand1_0_bot_seg_{1..3}_cropped.jpeg": "0",
            "asl_dataset/a/hand1_a_bot_seg_{1..3}_cropped.jpeg": "a",
            "asl_dataset/asl_dataset/0/hand2_0_bot_seg_1_cropped.jpeg": "0",
            "asl_dataset/asl_dataset/a/hand2_a_bot_seg_1_cropped.jpeg": "a",
        },
    ),
    # Kaggle: roobansappani/hand-gesture-recognition (20 gestures, train and test twice).
    "hand-gesture-recognition": (
        "images",
        {
            "train/train/0/{1..3}.jpg": ("0", "", "train"),
            "train/train/1/{1..3}.jpg": ("1", "", "train"),
            "test/test/0/{1..3}.jpg": ("0", "", "test"),
            "test/test/1/{1..3}.jpg": ("1", "", "test"),
        },
    ),
    # Kaggle: debashishsau/aslamerican-sign-language-aplhabet-dataset.
    "asl-aplhabet": (
        "images",
        {
            "ASL_Alphabet_Dataset/asl_alphabet_train/A/{1..3}.jpg": ("A", "", "train"),
            "ASL_Alphabet_Dataset/asl_alphabet_train/B/{1..3}.jpg": ("B", "", "train"),
            "ASL_Alphabet_Dataset/asl_alphabet_test/A_test.jpg": ("A", "", "test"),
        },
    ),
    # Kaggle: kapillondhe/american-sign-language: unlabelled pictures beside the training ones.
    "train-and-unlabelled-test": (
        "images",
        {
            "ASL_Dataset/Train/A/{1..3}.jpg": ("A", "", "train"),
            "ASL_Dataset/Train/Nothing/{1..3}.jpg": ("Nothing", "", "train"),
            "ASL_Dataset/Test/{1..4}.jpg": None,
        },
    ),
    "unlabelled-test-in-a-folder-of-its-own": (
        "images",
        {
            "train/fist/{1..3}.jpg": ("fist", "", "train"),
            "train/palm/{1..3}.jpg": ("palm", "", "train"),
            "test/unknown_pictures/{1..3}.jpg": None,
        },
    ),
    # Kaggle: drgfreeman/rockpaperscissors: labels twice, and pictures for tests.
    "rock-paper-scissors": (
        "images",
        {
            "rps-cv-images/rock/0b{1..3}.png": "rock",
            "rps-cv-images/paper/0b{1..3}.png": "paper",
            "paper/0a{1..3}.png": "paper",
            "rock/0a{1..3}.png": "rock",
            "scissors/0a{1..3}.png": "scissors",
        },
    ),
    # tensorflow_datasets: rock_paper_scissors as downloaded.
    "rps": (
        "images",
        {
            "rps/paper/paper01-{000..002}.png": ("paper", "", "train"),
            "rps/rock/rock01-{000..002}.png": ("rock", "", "train"),
            "rps-test-set/paper/testpaper01-{00..02}.png": ("paper", "", "test"),
            "rps-test-set/rock/testrock01-{00..02}.png": ("rock", "", "test"),
        },
    ),
    # ArASL: 54,049 pictures of Arabic letters.
    "arasl": (
        "images",
        {
            "ArASL_Database_54K_Final/ArASL_Database_54K_Final/ain/AIN ({1..3}).JPG": "ain",
            "ArASL_Database_54K_Final/ArASL_Database_54K_Final/al/AL ({1..3}).JPG": "al",
        },
    ),
    # Kaggle: prathumarikeri/indian-sign-language-isl.
    "isl": ("images", {"Indian/1/{0..2}.jpg": "1", "Indian/A/{0..2}.jpg": "A"}),
    # ASL fingerspelling (Pugeault and Bowden): letters of five people, colour and depth together.
    "fingerspelling": (
        "images",
        {
            "dataset5/A/a/color_0_{0002..0004}.png": Asked(("a", "b")),
            "dataset5/A/b/color_1_{0002..0004}.png": "",
            "dataset5/B/a/color_0_{0002..0004}.png": "",
            "dataset5/B/b/color_1_{0002..0004}.png": "",
        },
    ),
    "keras-flow": (
        "images",
        {
            "data/train/ok/{1..3}.jpg": ("ok", "", "train"),
            "data/train/peace/{1..3}.jpg": ("peace", "", "train"),
            "data/validation/ok/{1..3}.jpg": ("ok", "", "val"),
            "data/validation/peace/{1..3}.jpg": ("peace", "", "val"),
        },
    ),
    "split-below-images": (
        "images",
        {
            "images/train/ok/{1..2}.jpg": ("ok", "", "train"),
            "images/train/stop/{1..2}.jpg": ("stop", "", "train"),
            "images/dev/ok/{1..2}.jpg": ("ok", "", "val"),
            "images/dev/stop/{1..2}.jpg": ("stop", "", "val"),
        },
    ),
    "images-below-split": (
        "images",
        {
            "train/images/ok/{1..2}.jpg": ("ok", "", "train"),
            "train/images/stop/{1..2}.jpg": ("stop", "", "train"),
            "test/images/ok/{1..2}.jpg": ("ok", "", "test"),
            "test/images/stop/{1..2}.jpg": ("stop", "", "test"),
        },
    ),
    "training-set-and-test-set": (
        "images",
        {
            "training_set/A/{1..2}.png": ("A", "", "train"),
            "training_set/B/{1..2}.png": ("B", "", "train"),
            "test_set/A/{1..2}.png": ("A", "", "test"),
            "test_set/B/{1..2}.png": ("B", "", "test"),
        },
    ),
    "train-and-test-of-a-name": (
        "images",
        {
            "Gesture Image Data Train/C/{1..2}.jpg": ("C", "", "train"),
            "Gesture Image Data Train/D/{1..2}.jpg": ("D", "", "train"),
            "Gesture Image Data Test/C/{1..2}.jpg": ("C", "", "test"),
            "Gesture Image Data Test/D/{1..2}.jpg": ("D", "", "test"),
        },
    ),
    "people-above-labels": (
        "images",
        {
            "subject1/fist/{1..3}.jpg": ("fist", "subject1", ""),
            "subject1/palm/{1..3}.jpg": ("palm", "subject1", ""),
            "subject2/fist/{1..3}.jpg": ("fist", "subject2", ""),
            "subject2/palm/{1..3}.jpg": ("palm", "subject2", ""),
        },
    ),
    "people-below-labels": (
        "images",
        {
            "fist/user_1/{1..3}.jpg": ("fist", "user_1", ""),
            "fist/user_2/{1..3}.jpg": ("fist", "user_2", ""),
            "palm/user_1/{1..3}.jpg": ("palm", "user_1", ""),
        },
    ),
    "people-in-splits": (
        "images",
        {
            "train/s03/ok/{1..3}.jpg": ("ok", "s03", "train"),
            "train/s03/stop/{1..3}.jpg": ("stop", "s03", "train"),
            "test/s04/ok/{1..3}.jpg": ("ok", "s04", "test"),
            "test/s04/stop/{1..3}.jpg": ("stop", "s04", "test"),
        },
    ),
    # Massey's own archive: people as folders of names.
    "people-with-names": (
        "images",
        {
            "anna/fist/{1..3}.jpg": Asked(("fist", "palm")),
            "anna/palm/{1..3}.jpg": "",
            "ben/fist/{1..3}.jpg": "",
            "ben/palm/{1..3}.jpg": "",
        },
    ),
    "hands-below-labels": (
        "images",
        {
            "fist/left/{1..3}.jpg": Asked(("fist", "palm")),
            "fist/right/{1..3}.jpg": "",
            "palm/left/{1..3}.jpg": "",
            "palm/right/{1..3}.jpg": "",
        },
    ),
    "digits-of-numbered-people": (
        "images",
        {
            "1/0/{1..2}.jpg": Asked(("0", "1")),
            "1/1/{1..2}.jpg": "",
            "2/0/{1..2}.jpg": "",
            "2/1/{1..2}.jpg": "",
        },
    ),
    "numbered-gestures": (
        "images",
        {"01-palm/{1..3}.png": "palm", "02-fist/{1..3}.png": "fist", "10-down/{1..3}.png": "down"},
    ),
    "fingers-that-are-counted": (
        "images",
        {"1_finger/{1..3}.png": "1_finger", "2_finger/{1..3}.png": "2_finger"},
    ),
    "pictures-and-masks": (
        "images",
        {
            "images/fist/{1..3}.jpg": "fist",
            "images/palm/{1..3}.jpg": "palm",
            "masks/fist/{1..3}.png": None,
            "masks/palm/{1..3}.png": None,
        },
    ),
    "splits-below-labels": (
        "images",
        {
            "fist/train/{1..3}.jpg": ("fist", "", "train"),
            "fist/test/{1..3}.jpg": ("fist", "", "test"),
            "palm/train/{1..3}.jpg": ("palm", "", "train"),
            "palm/test/{1..3}.jpg": ("palm", "", "test"),
        },
    ),
    "splits-without-labels": (
        "images",
        {
            "train/fist_{1..3}.jpg": Asked(("fist", "palm")),
            "train/palm_{1..3}.jpg": "",
            "test/fist_4.jpg": "",
        },
    ),
    "everything-in-images": (
        "images",
        {"images/ok_{1..3}.jpg": Asked(("ok", "stop")), "images/stop_{1..3}.jpg": ""},
    ),
    "people-without-labels": (
        "images",
        {"subject1/fist_{1..3}.jpg": Asked(("fist", "palm")), "subject2/palm_{1..3}.jpg": ""},
    ),
    "one-gesture": ("images", {"fist/{1..5}.jpg": Asked(("fist",))}),
    "a-folder-called-data-among-gestures": (
        "images",
        {"fist/{1..3}.jpg": Asked(("fist", "data")), "data/{1..3}.jpg": ""},
    ),
    "a-folder-called-test-among-gestures": (
        "images",
        {
            "fist/{1..3}.jpg": Asked(("fist", "palm", "test")),
            "palm/{1..3}.jpg": "",
            "test/{1..3}.jpg": "",
        },
    ),
    "sessions-above-labels": (
        "images",
        {
            "session1/fist/{1..3}.jpg": "fist",
            "session1/palm/{1..3}.jpg": "palm",
            "session2/fist/{1..3}.jpg": "fist",
            "session2/palm/{1..3}.jpg": "palm",
        },
    ),
    # HaGRID as its subsample is unzipped.
    "hagrid-subsample": (
        "images",
        {
            "train_val_call/00a1b2c3-{1..3}.jpg": ("call", "", "train"),
            "train_val_fist/00a1b2c3-{1..3}.jpg": ("fist", "", "train"),
        },
    ),
    "hagrid": (
        "images",
        {
            "hagrid-sample-30k-384p/hagrid_30k/train_val_call/{1..3}.jpg": ("call", "", "train"),
            "hagrid-sample-30k-384p/hagrid_30k/train_val_fist/{1..3}.jpg": ("fist", "", "train"),
        },
    ),
    # Kaggle: imsparsh/gesture-recognition: clips as folders of frames, labels in lists only.
    "clips-in-a-list": (
        "frames",
        {
            "train/WIN_20180925_17_18_{28..30}_Pro_Left_Swipe/WIN_{00001..00006}.png": Asked(()),
            "val/WIN_20180926_16_54_{08..09}_Pro_Stop/WIN_{00001..00006}.png": "",
        },
    ),
    "videos-by-label": (
        "videos",
        {"hello/{1..3}.mp4": "hello", "thanks/{1..3}.mp4": "thanks"},
    ),
    # INCLUDE: greetings and the like as themes, numbered signs in them.
    "include": (
        "videos",
        {
            "Greetings/48. Hello/MVI_{0001..0003}.MOV": "Hello",
            "Greetings/49. How are you/MVI_{0001..0003}.MOV": "How are you",
        },
    ),
    # LSA64: label, person and repetition in the name.
    "lsa64": (
        "videos",
        {
            "all/001_{001..002}_{001..002}.mp4": Asked(()),
            "all/002_{001..002}_{001..002}.mp4": "",
        },
    ),
    "videos-named-after-gestures": (
        "videos",
        {"wave_{1..3}.mp4": "wave", "swipe left ({1..2}).mp4": "swipe left"},
    ),
    "videos-in-a-folder-videos": (
        "videos",
        {"videos/wave_{1..3}.mp4": "wave", "videos/stop_{1..3}.mp4": "stop"},
    ),
    "videos-in-splits": (
        "videos",
        {
            "train/wave_{1..3}.mp4": ("wave", "", "train"),
            "train/stop_{1..3}.mp4": ("stop", "", "train"),
            "test/wave_4.mp4": ("wave", "", "test"),
        },
    ),
    "videos-without-a-list": ("videos", {"videos/0702{09..14}.mp4": Asked(())}),
    # Kaggle: sttaseen/wlasl2000-resized without its JSON; NVGesture without its list.
    "nvgesture": (
        "videos",
        {
            "Video_data/class_01/subject1_r{0..1}/sk_color.avi": ("class_01", "subject1", ""),
            "Video_data/class_01/subject2_r0/sk_color.avi": ("class_01", "subject2", ""),
            "Video_data/class_02/subject1_r0/sk_color.avi": ("class_02", "subject1", ""),
            "Video_data/class_02/subject2_r0/sk_color.avi": ("class_02", "subject2", ""),
        },
    ),
    "people-and-videos": (
        "videos",
        {
            "signer01/book/{1..2}.mp4": ("book", "signer01", ""),
            "signer01/drink/{1..2}.mp4": ("drink", "signer01", ""),
            "signer02/book/{1..2}.mp4": ("book", "signer02", ""),
            "signer02/drink/{1..2}.mp4": ("drink", "signer02", ""),
        },
    ),
    "frames-by-label": (
        "frames",
        {
            "wave/clip{1..2}/frame_{0001..0006}.jpg": "wave",
            "fist/clip1/frame_{0001..0006}.jpg": "fist",
        },
    ),
    "frames-of-people": (
        "frames",
        {
            "user_1/wave/clip{1..2}/{0001..0006}.jpg": ("wave", "user_1", ""),
            "user_1/fist/clip{1..2}/{0001..0006}.jpg": ("fist", "user_1", ""),
            "user_2/wave/clip{1..2}/{0001..0006}.jpg": ("wave", "user_2", ""),
        },
    ),
    "frames-in-splits": (
        "frames",
        {
            "frames/train/wave/{1..2}/{0001..0006}.jpg": ("wave", "", "train"),
            "frames/train/fist/{1..2}/{0001..0006}.jpg": ("fist", "", "train"),
            "frames/valid/wave/9/{0001..0006}.jpg": ("wave", "", "val"),
        },
    ),
    # Jester without its lists: every clip is a folder with a number.
    "jester-without-lists": (
        "images",
        {"20bn-jester-v1/{34870..34872}/{00001..00006}.jpg": Asked(())},
    ),
    # EgoGesture: no folder names a gesture.
    "egogesture-without-lists": (
        "frames",
        {"images/Subject{01..02}/Scene1/Color/rgb1/{000001..000006}.jpg": Asked(())},
    ),
    "people-in-names-of-videos": (
        "videos",
        {
            "p01_wave_{1..2}.mp4": Asked(("stop", "wave")),
            "p02_wave_{1..2}.mp4": "",
            "p02_stop_1.mp4": "",
        },
    ),
    "people-behind-names-of-videos": (
        "videos",
        {
            "wave_p01_{1..2}.mp4": Asked(("stop", "wave")),
            "wave_p02_1.mp4": "",
            "stop_p02_1.mp4": "",
        },
    ),
    "names-of-cameras": (
        "videos",
        {"MVI_{0001..0003}.MOV": Asked(()), "IMG_{0001..0003}.MOV": ""},
    ),
    "names-of-phones": ("videos", {"VID_20210304_1211{01..03}.mp4": Asked(())}),
    "nested-archive": (
        "images",
        {
            "archive/dataset/Train/hello/{1..2}.jpg": ("hello", "", "train"),
            "archive/dataset/Train/thanks/{1..2}.jpg": ("thanks", "", "train"),
            "archive/dataset/Valid/hello/3.jpg": ("hello", "", "val"),
            "archive/dataset/Valid/thanks/3.jpg": ("thanks", "", "val"),
            "archive/dataset/sample.jpg": None,
        },
    ),
    # KArSL: signer, split and the number of the word.
    "karsl": (
        "videos",
        {"{01..02}/train/{0001..0003}/{1..2}.mp4": Asked(())},
    ),
    "people-and-ordered-labels": (
        "images",
        {
            "User_01/01_fist/{1..2}.jpg": ("fist", "User_01", ""),
            "User_01/02_palm/{1..2}.jpg": ("palm", "User_01", ""),
            "User_02/01_fist/{1..2}.jpg": ("fist", "User_02", ""),
        },
    ),
    "left-and-right-hands-above-labels": (
        "images",
        {
            "left_hand/fist/{1..2}.jpg": Asked(("fist", "palm")),
            "left_hand/palm/{1..2}.jpg": "",
            "right_hand/fist/{1..2}.jpg": "",
            "right_hand/palm/{1..2}.jpg": "",
        },
    ),
    # Kaggle: marusagar/hand-gesture-recognition-database copies of LeapGestRecog without people.
    "zero-padded-labels": (
        "images",
        {"{001..003}/{1..2}.jpg": Asked(())},
    ),
}
