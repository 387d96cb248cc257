"""A small list of passwords that are guessed first, ten characters or longer; shorter ones are refused anyway.

Trailing digits and punctuation are taken off before the comparison, so stems stand here once.
"""

COMMON = frozenset(
    """
    password passwort motdepasse contrasena passw0rd p@ssw0rd p@ssword pa$$word password1234 passwordpassword
    mypassword thepassword newpassword yourpassword changeme changeit letmein letmeinplease welcome welcomeback
    administrator admin admin123456 adminadmin rootroot rootpassword superuser supersecret secretsecret topsecret
    default defaultpassword testtest testtesttest testpassword temporary temppassword guestguest useruser
    iloveyou iloveyouso iloveyouforever ilovemyself loveyou loveyouforever sunshine sunshine123 princess
    princess123 football football123 baseball basketball superman superman123 batman123456 spiderman
    starwars pokemon123 michael123 jennifer123 dragon123456 monkey123456 master123456 shadow123456
    trustno1trustno1 whatever whatever123 nothing123 computer computer123 internet internet123 samsung123
    google123456 facebook123 qwerty123456 qwertyqwerty qwertyuiop asdfghjkl zxcvbnm zxcvbnmasdf asdfasdf
    asdfghjkl123 qazwsxedc qazwsxedcrfv 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz@wsx 1qaz!qaz zaq12wsxcde3
    q1w2e3r4t5 q1w2e3r4t5y6 a1b2c3d4e5 a1b2c3d4e5f6 a123456789 a1234567890 aa123456789 abc123456 abc123456789
    abcd1234567 abcdefg123 abcdef123456 asd123456789 qwe123456789 zxc123456789 qaz123456789 123456789a
    1234567890a 123456789q 123456789abc 12345678910 123456123456 123123123123 112233445566 1122334455
    11223344556677 147258369 1472583690 147852369 159357456 159753456852 741852963 7418529630 789456123
    7894561230 987654321 9876543210 0987654321 01234567890 1029384756 1357924680 2468013579 5201314520
    5201314 52013145201314 woaini woaini1314 woaini520 woaini5201314 woaini1314520 wodemima woshishui
    woaizhongguo woaiwojia nihaonihao nihaoma mimamima zhongguo zhongguo123 beijing123 beijing2008 shanghai123
    guanliyuan xitongguanli woaibaobao baobaobao laopowoaini laogongwoaini qingqing123 tiantian123 xiaoming123
    wangjing123 zhangwei123 lining123456 liwei123456 aini1314520 1314520 13145201314 1314521 88888888 8888888888
    66666666 6666666666 168168168 1681681688 999999999 government governmentservice zhengwu zhengwufuwu
    kaimen kaimenkaimen developer developer123 openplatform sandbox sandbox123 correcthorse correcthorsebattery
    correcthorsebatterystaple abracadabra opensesame zhimakaimen
    """.split()  # noqa: SIM905 - a list literal of it would be unreadable
)
