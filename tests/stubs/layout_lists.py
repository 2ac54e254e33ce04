"""Lists of labels beside the media, in the shapes of public data sets, and what they mean."""

import json

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 30, 40]},
        {"image_id": 2, "category_id": 8, "bbox": [1, 2, 30, 40]},
        {"image_id": 2, "category_id": 7, "bbox": [50, 2, 30, 40]},
    ],
    "categories": [{"id": 7, "name": "fist"}, {"id": 8, "name": "rock"}],
}
LABELME = {
    "imagePath": "..\\pictures\\a.jpg",
    "shapes": [{"label": "fist", "points": [[1, 2], [31, 42]], "shape_type": "rectangle"}],
}
CREATEML = [
    {
        "image": "a.jpg",
        "annotations": [
            {"label": "fist", "coordinates": {"x": 20, "y": 20, "width": 10, "height": 10}}
        ],
    },
    {
        "image": "b.jpg",
        "annotations": [
            {"label": "rock", "coordinates": {"x": 20, "y": 20, "width": 10, "height": 10}}
        ],
    },
]
WLASL = [
    {
        "gloss": "book",
        "instances": [
            {
                "video_id": "00001",
                "signer_id": 4,
                "split": "train",
                "frame_start": 1,
                "frame_end": -1,
            },
            {
                "video_id": "00002",
                "signer_id": 9,
                "split": "test",
                "frame_start": 11,
                "frame_end": 50,
            },
            {
                "video_id": "00009",
                "signer_id": 9,
                "split": "test",
                "frame_start": 1,
                "frame_end": -1,
            },
        ],
    },
    {
        "gloss": "drink",
        "instances": [
            {"video_id": "00003", "signer_id": 4, "split": "val", "frame_start": 1, "frame_end": -1}
        ],
    },
]
MSASL = [
    {
        "clean_text": "match",
        "signer_id": 0,
        "start_time": 0.0,
        "end_time": 2.767,
        "label": 830,
        "url": "https://www.youtube.com/watch?v=C37R_Ix8-qs",
        "file": "match light",
        "split": "x",
    },
    {
        "clean_text": "fail",
        "signer_id": 5,
        "start_time": 3.0,
        "end_time": 4.0,
        "label": 542,
        "url": "https://www.youtube.com/watch?v=C37R_Ix8-qs",
        "file": "FAIL",
    },
]
VOC = (
    "<annotation>\n\t<folder>x</folder>\n\t<filename>{}</filename>\n"
    "\t<object>\n\t\t<name>{}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<bndbox>\n"
    "\t\t\t<xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>\n\t\t</bndbox>\n"
    "\t</object>\n</annotation>\n"
)
ELAN = (
    '"#file:///C:/Users/me/lesson.eaf"\n'
    "gestures\t\t00:00:01.000\t1.0\t00:00:02.500\t2.5\t00:00:01.500\t1.5\twave\n"
    "gestures\t\t00:00:04.000\t4.0\t00:00:05.000\t5.0\t00:00:01.000\t1.0\tstop\n"
)

LISTS = {
    "header": (
        "picture-list",
        {"l.csv": "file,label\na.jpg,fist\nb.jpg,rock\n"},
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "no-header": (
        "picture-list",
        {"l.csv": "a.jpg,fist\nb.jpg,rock\n"},
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "tabs": (
        "picture-list",
        {"l.tsv": "image_path\tclass\na.jpg\tfist\nb.jpg\trock\n"},
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "semicolons": (
        "picture-list",
        {"l.csv": "Dateiname;Geste\na.jpg;fist\nb.jpg;rock\n"},
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "bom-and-windows": (
        "picture-list",
        {
            "l.csv": (
                '\ufeff"Filename","Gesture"\r\n"C:\\data\\pics\\a.jpg","fist"\r\n'
                '".\\pics\\b.jpg","rock"\r\n'
            )
        },
        {"pics/a.jpg": "fist", "pics/b.jpg": "rock"},
    ),
    "person-and-split": (
        "picture-list",
        {"l.csv": "image,gesture,subject,split\na.jpg,fist,p1,train\nb.jpg,rock,p2,valid\n"},
        {"a.jpg": ("fist", "p1", "train"), "b.jpg": ("rock", "p2", "val")},
    ),
    "names-without-endings": (
        "picture-list",
        {"l.csv": "id,label\na,fist\nb,rock\n"},
        {"i/a.jpg": "fist", "i/b.jpg": "rock"},
    ),
    "hf-metadata-csv": (
        "picture-list",
        {
            "train/metadata.csv": "file_name,label\na.jpg,fist\n",
            "test/metadata.csv": "file_name,label\nb.jpg,rock\n",
        },
        {"train/a.jpg": ("fist", "", "train"), "test/b.jpg": ("rock", "", "test")},
    ),
    "hf-metadata-jsonl": (
        "picture-list",
        {
            "data/metadata.jsonl": (
                '{"file_name": "a.jpg", "label": "fist"}\n{"file_name": "b.jpg", "label": "rock"}\n'
            )
        },
        {"data/a.jpg": "fist", "data/b.jpg": "rock"},
    ),
    "roboflow-one-hot": (
        "picture-list",
        {"train/_classes.csv": "filename, fist, rock\na.jpg, 1, 0\nb.jpg, 0, 1\n"},
        {"train/a.jpg": ("fist", "", "train"), "train/b.jpg": ("rock", "", "train")},
    ),
    "roboflow-tensorflow": (
        "picture-list",
        {
            "valid/_annotations.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\n"
            "a.jpg,640,640,fist,10,10,60,60\nb.jpg,640,640,rock,1,1,9,9\n"
            "b.jpg,640,640,fist,10,1,19,9\n"
        },
        {
            "valid/a.jpg": ("fist", "", "val"),
            "valid/b.jpg#0": ("rock", "", "val"),
            "valid/b.jpg#1": ("fist", "", "val"),
        },
    ),
    "numbers-with-names": (
        "picture-list",
        {"l.csv": "file,label\na.jpg,0\nb.jpg,1\n", "classes.txt": "fist\nrock\n"},
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "lists-beside-their-folders": (
        "picture-list",
        {"train.csv": "id,label\na,fist\nb,rock\n", "test.csv": "id,label\na,rock\nb,fist\n"},
        {
            "train/a.jpg": ("fist", "", "train"),
            "train/b.jpg": ("rock", "", "train"),
            "test/a.jpg": ("rock", "", "test"),
            "test/b.jpg": ("fist", "", "test"),
        },
    ),
    "kenyan-sign-language": (
        "picture-list",
        {"Train.csv": "img_IDS,Label\na,Temple\nb,Church\n", "Test.csv": "img_IDS\nc\nd\n"},
        {"Images/a.jpg": ("Temple", "", "train"), "Images/b.jpg": ("Church", "", "train")},
    ),
    "mmaction": (
        "clip-list",
        {"train.txt": "wave/v1.mp4 0\nstop/v2.mp4 1\n"},
        {"wave/v1.mp4": ("0", "", "train"), "stop/v2.mp4": ("1", "", "train")},
    ),
    "jester": (
        "clip-list",
        {
            "jester-v1-train.csv": "34870;Drumming Fingers\n100;Swiping Left\n",
            "jester-v1-validation.csv": "9;Swiping Left\n",
            "jester-v1-labels.csv": "Drumming Fingers\nSwiping Left\n",
        },
        {
            "20bn-jester-v1/34870": ("Drumming Fingers", "", "train"),
            "20bn-jester-v1/100": ("Swiping Left", "", "train"),
            "20bn-jester-v1/9": ("Swiping Left", "", "val"),
        },
    ),
    "kaggle-five-gestures": (
        "clip-list",
        {
            "train.csv": (
                "WIN_20180925_17_08_43_Pro_Left_Swipe_new;Left_Swipe_new;0\n"
                "WIN_20180925_17_18_28_Pro_Stop_new;Stop_new;4\n"
            )
        },
        {
            "train/WIN_20180925_17_08_43_Pro_Left_Swipe_new": ("Left_Swipe_new", "", "train"),
            "train/WIN_20180925_17_18_28_Pro_Stop_new": ("Stop_new", "", "train"),
        },
    ),
    "autsl": (
        "clip-list",
        {
            "train_labels.csv": "signer0_sample1,0\nsigner1_sample3,1\n",
            "SignList_ClassId_TR_EN.csv": "ClassId,TR,EN\n0,abla,sister\n1,acele,hurry\n",
        },
        {
            "train/signer0_sample1_color.mp4": ("abla", "signer0", "train"),
            "train/signer1_sample3_color.mp4": ("acele", "signer1", "train"),
        },
    ),
    "asl-citizen": (
        "clip-list",
        {
            "splits/train.csv": (
                "Participant ID,Video file,Gloss,ASL-LEX Code\nP52,1-BOOK.mp4,BOOK,A_1\n"
                "P1,2-DRINK.mp4,DRINK,A_2\n"
            )
        },
        {
            "videos/1-BOOK.mp4": ("BOOK", "P52", "train"),
            "videos/2-DRINK.mp4": ("DRINK", "P1", "train"),
        },
    ),
    "wlasl": (
        "wlasl",
        {"WLASL_v0.3.json": json.dumps(WLASL)},
        {
            "videos/00001.mp4": ("book", "4", "train"),
            "videos/00002.mp4#0": ("book", "9", "test"),
            "videos/00003.mp4": ("drink", "4", "val"),
        },
    ),
    "ms-asl": (
        "wlasl",
        {"MSASL_train.json": json.dumps(MSASL)},
        {
            "videos/C37R_Ix8-qs.mp4#0": ("match", "0", "train"),
            "videos/C37R_Ix8-qs.mp4#1": ("fail", "5", "train"),
        },
    ),
    "start-end-seconds": (
        "clip-list",
        {"events.csv": "video,label,start,end\nlesson.mp4,wave,1.0,2.5\nlesson.mp4,stop,4.0,5.0\n"},
        {"lesson.mp4#0": "wave", "lesson.mp4#1": "stop"},
    ),
    "start-duration": (
        "clip-list",
        {
            "events.csv": "video,label,start,duration\nlesson.mp4,wave,1.0,1.5\n"
            "lesson.mp4,stop,4.0,1.0\n"
        },
        {"lesson.mp4#0": "wave", "lesson.mp4#1": "stop"},
    ),
    "video-annotator": (
        "clip-list",
        {
            "l.csv": (
                "video_file,start_time,end_time,label\nlesson.mp4,0:00:01,0:00:02,wave\n"
                "lesson.mp4,0:02:10,0:03:31,stop\n"
            )
        },
        {"lesson.mp4#0": "wave", "lesson.mp4#1": "stop"},
    ),
    "ipn-hand": (
        "clip-list",
        {
            "Annot_List.txt": (
                "video,label,id,t_start,t_end,frames\n1CM1_1_R_#217,D0X,1,1,208,208\n"
                "1CM1_1_R_#217,B0B,3,209,390,182\n"
            )
        },
        {"videos/1CM1_1_R_#217.avi#0": "D0X", "videos/1CM1_1_R_#217.avi#1": "B0B"},
    ),
    "nvgesture": (
        "clip-list",
        {
            "nvgesture_train_correct_cvpr2016_v2.lst": (
                "path:./Video_data/class_01/subject13_r0 depth:sk_depth:0:180"
                " color:sk_color:0:180 duo_left:duo_left:0:180 label:1\n"
                "path:./Video_data/class_02/subject3_r1 depth:sk_depth:80:160"
                " color:sk_color:80:160 label:2\n"
            )
        },
        {
            "Video_data/class_01/subject13_r0/sk_color.avi#0": ("1", "subject13", "train"),
            "Video_data/class_02/subject3_r1/sk_color.avi#0": ("2", "subject3", "train"),
        },
    ),
    "elan": ("clip-list", {"lesson.txt": ELAN}, {"lesson.mp4#0": "wave", "lesson.mp4#1": "stop"}),
    "elan-with-header": (
        "clip-list",
        {
            "lesson.txt": (
                "Begin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tgestures\n"
                "1.0\t2.5\t1.5\twave\n4.0\t5.0\t1.0\tstop\n"
            )
        },
        {"lesson.mp4#0": "wave", "lesson.mp4#1": "stop"},
    ),
    "yolo": (
        "yolo",
        {
            "data.yaml": "train: ../train/images\nnc: 2\nnames: ['fist', 'rock']\n",
            "train/labels/a.txt": "0 0.5 0.5 0.2 0.2\n",
            "valid/labels/b.txt": "1 0.5 0.5 0.2 0.2\n0 0.1 0.1 0.1 0.1\n",
        },
        {
            "train/images/a.jpg": ("fist", "", "train"),
            "valid/images/b.jpg#0": ("rock", "", "val"),
            "valid/images/b.jpg#1": ("fist", "", "val"),
        },
    ),
    "yolo-names-as-mapping": (
        "yolo",
        {
            "hands.yaml": "path: hands\nnames:\n  0: fist\n  1: rock  # horns\n",
            "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n",
            "labels/val/b.txt": "1 0.5 0.5 0.2 0.2\n",
        },
        {"images/train/a.jpg": ("fist", "", "train"), "images/val/b.jpg": ("rock", "", "val")},
    ),
    "labelimg": (
        "yolo",
        {
            "classes.txt": "fist\nrock\n",
            "a.txt": "0 0.5 0.5 0.2 0.2\n",
            "b.txt": "1 0.5 0.5 0.2 0.2\n",
        },
        {"a.jpg": "fist", "b.jpg": "rock"},
    ),
    "coco": (
        "coco",
        {"train/_annotations.coco.json": json.dumps(COCO)},
        {
            "train/a.jpg": ("fist", "", "train"),
            "train/b.jpg#0": ("rock", "", "train"),
            "train/b.jpg#1": ("fist", "", "train"),
        },
    ),
    "coco-annotations-folder": (
        "coco",
        {"annotations/instances_val2017.json": json.dumps(COCO)},
        {
            "val2017/a.jpg": ("fist", "", "val"),
            "val2017/b.jpg#0": ("rock", "", "val"),
            "val2017/b.jpg#1": ("fist", "", "val"),
        },
    ),
    "createml": (
        "coco",
        {"train/_annotations.createml.json": json.dumps(CREATEML)},
        {"train/a.jpg": ("fist", "", "train"), "train/b.jpg": ("rock", "", "train")},
    ),
    "voc": (
        "voc",
        {
            "train/a.xml": VOC.format("a.jpg", "fist"),
            "train/b.xml": VOC.format("renamed.jpg", "rock &amp; roll"),
            "valid/a.xml": VOC.format("a.jpg", "rock"),
        },
        {
            "train/a.jpg": ("fist", "", "train"),
            "train/b.jpg": ("rock & roll", "", "train"),
            "valid/a.jpg": ("rock", "", "val"),
        },
    ),
    "voc-in-folders": (
        "voc",
        {
            "Annotations/a.xml": VOC.format("a.jpg", "fist"),
            "Annotations/old.xml": VOC.format("b.jpg", "rock"),
        },
        {"JPEGImages/a.jpg": "fist", "JPEGImages/b.jpg": "rock"},
    ),
    "labelme": (
        "labelme",
        {
            "json/a.json": json.dumps(LABELME),
            "json/b.json": json.dumps(LABELME | {"imagePath": "b.jpg"}),
        },
        {"pictures/a.jpg": "fist", "pictures/b.jpg": "fist"},
    ),
}


def files_of(right):
    """Return the media of a layout: a folder without an ending has frames."""
    for name in right:
        file = name.rpartition("#")[0] or name if name[-2:-1] == "#" else name
        yield file if "." in file.rpartition("/")[2] else f"{file}/{{00001..00006}}.jpg"
